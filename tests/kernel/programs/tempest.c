/* tempest N: two loops that make orphans as fast as they can: N each and then stay, or without end for 0. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void storm(long rounds)
{
    for (long i = 0; rounds == 0 || i < rounds; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (int k = 0; k < 50; k++)
                if (fork() == 0)
                    _exit(0);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? atol(argv[1]) / 50 : 0;
    pid_t second = fork();
    if (second == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        storm(rounds);
        _exit(0);
    }
    if (write(1, "ready\n", 6) != 6)
        return 1;
    storm(rounds);
    waitpid(second, NULL, 0);
    if (write(1, "over\n", 5) != 5)
        return 1;
    for (;;)
        pause();
}
