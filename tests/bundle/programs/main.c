/* The command under initd in these tests. It says "ready", and ends with 7 when it is told to by TERM.
 *
 * main exit N    ends at once
 * main orphan    first leaves a grandchild behind, which ends with 3 once it has been adopted
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int number) {
    (void)number;
    _exit(7);
}

static void orphan(void) {
    pid_t parent = fork();
    if (parent != 0) {
        waitpid(parent, NULL, 0);
        return;
    }
    parent = getpid();
    if (fork() != 0)
        _exit(0);
    while (getppid() == parent)
        usleep(1000);
    _exit(3);
}

int main(int argc, char **argv) {
    signal(SIGTERM, leave);
    if (argc > 2 && strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (argc > 1 && strcmp(argv[1], "orphan") == 0)
        orphan();
    if (write(1, "ready\n", 6) != 6)
        return 1;
    for (;;)
        pause();
}
