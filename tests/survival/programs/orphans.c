/* orphans N FILE…: N orphans that end at once, as fast as they can be made, once FILE is there; then "over". And
 * so on with the next pair; it has no end of its own.
 *
 * Where no process can be made it waits for one to be reaped: a limit of processes is how far it runs ahead.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t make(void)
{
    pid_t made;

    while ((made = fork()) < 0)
        usleep(1000);
    return made;
}

static void storm(long orphans)
{
    for (; orphans > 0; orphans -= 50) {
        pid_t parent = make();
        if (parent == 0) {
            for (int i = 0; i < 50; i++)
                if (make() == 0)
                    _exit(0);
            _exit(0);
        }
        waitpid(parent, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    signal(SIGRTMIN, SIG_IGN); /* events for the init, and nothing to us */
    for (int i = 1; i + 1 < argc; i += 2) {
        while (access(argv[i + 1], F_OK) < 0)
            usleep(10000);
        storm(atol(argv[i]));
        if (write(1, "over\n", 5) != 5)
            return 1;
    }
    for (;;)
        pause();
}
