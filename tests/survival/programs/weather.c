/* weather WHAT ...: processes by the thousand, exactly as many as asked for. Says "ready", then "over", and stays.

rain RATE N           N orphans that end at once, RATE a second
churn RATE N MS FILE  the same, each living MS milliseconds deaf to signals; in FILE how many got one all the same
crowd N               a child called keeper with N children that live on
chain N               N processes, each the child of the one before, all living on; nobody waits
bomb FILE             at USR1: each forks until it has two children, or cannot for long, and ends; in FILE how many
                      were born
*/
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 10 }; /* failing forks before a process of the bomb makes room for others */

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(9);
}

static void stay(void)
{
    for (;;)
        pause();
}

static long *shared(const char *path) /* a counter that outlives us */
{
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(long)) < 0)
        _exit(9);
    return mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static void nap(long nanoseconds)
{
    struct timespec some = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    nanosleep(&some, NULL);
}

static pid_t make(void) /* where there is no room, as soon as there is some */
{
    for (pid_t made;; nap(1000000))
        if ((made = fork()) >= 0)
            return made;
}

static void live_deaf(long milliseconds, long *hits)
{
    sigset_t all;
    nap(milliseconds * 1000000);
    sigpending(&all);
    if (!sigisemptyset(&all))
        __atomic_fetch_add(hits, 1, __ATOMIC_SEQ_CST);
}

static void rain(long rate, long count, long milliseconds, long *hits)
{
    sigset_t all, none;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &none); /* a child must never be without it */
    struct timespec next;
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long i = 0; i < count; i++) {
        pid_t parent = make();
        if (parent == 0) {
            if (make() == 0 && milliseconds)
                live_deaf(milliseconds, hits);
            _exit(0);
        }
        waitpid(parent, NULL, 0);
        next.tv_nsec += 1000000000 / rate;
        next.tv_sec += next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    if (milliseconds)
        nap(2 * milliseconds * 1000000);
    sigprocmask(SIG_SETMASK, &none, NULL);
    say("over\n");
}

static void crowd(long count)
{
    pid_t keeper = make();
    if (keeper == 0) {
        for (long i = 0; i < count; i++)
            if (make() == 0)
                stay();
        prctl(PR_SET_NAME, "keeper");
        say("over\n");
        stay();
    }
    waitpid(keeper, NULL, 0);
}

static void chain(const char *us, long left)
{
    char next[24];
    if (left == 0)
        say("over\n");
    else if (make() == 0) { /* anew: a fork of a fork of a fork costs the kernel more with each */
        snprintf(next, sizeof(next), "%ld", left - 1);
        execl(us, us, "link", next, NULL);
        _exit(9);
    }
}

static void explode(long *born)
{
    for (int children = 0, failures = 0; children < 2 && failures < PATIENCE;) {
        pid_t made = fork();
        if (made == 0) {
            __atomic_fetch_add(born, 1, __ATOMIC_SEQ_CST);
            children = failures = 0;
        } else if (made > 0) {
            children++;
        } else {
            failures++;
            sched_yield();
        }
    }
    _exit(0);
}

static void bomb(long *born)
{
    sigset_t usr1;
    int got;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    say("armed\n");
    sigwait(&usr1, &got);
    for (;;) {
        pid_t seed = fork();
        if (seed == 0)
            explode(born);
        waitpid(seed, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    long first = argc > 2 ? atol(argv[2]) : 0;
    if (!strcmp(argv[1], "link"))
        chain(argv[0], first);
    else
        say("ready\n");
    if (!strcmp(argv[1], "rain"))
        rain(first, atol(argv[3]), 0, NULL);
    else if (!strcmp(argv[1], "churn"))
        rain(first, atol(argv[3]), atol(argv[4]), shared(argv[5]));
    else if (!strcmp(argv[1], "crowd"))
        crowd(first);
    else if (!strcmp(argv[1], "chain"))
        chain(argv[0], first);
    else if (!strcmp(argv[1], "bomb"))
        bomb(shared(argv[2]));
    stay();
}
