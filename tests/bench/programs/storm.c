/* storm: MAIN; then, for each USR1, BENCH_ORPHANS orphans that end at once, BENCH_EACH of each parent: GO when the first
 * is made and OVER when the last one's parent has ended. */
#include <signal.h>
#include <sys/wait.h>

#include "bench.h"

static void orphans(int count)
{
    pid_t parent = fork();
    if (parent == 0) {
        for (int i = 0; i < count; i++)
            if (fork() == 0)
                _exit(0);
        _exit(0);
    }
    waitpid(parent, NULL, 0);
}

int main(void)
{
    long each = atol(getenv("BENCH_EACH"));
    sigset_t usr1;
    int number;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    tell("MAIN", now());
    while (sigwait(&usr1, &number) == 0) {
        tell("GO", now());
        for (long left = atol(getenv("BENCH_ORPHANS")); left > 0; left -= each)
            orphans(left < each ? left : each);
        tell("OVER", now());
    }
}
