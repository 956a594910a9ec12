/* stamp: MAIN is its first moment, LEFT its last: at once, or with BENCH_STAY set when USR1 comes. */
#include <signal.h>

#include "bench.h"

int main(void)
{
    long long began = now();
    sigset_t usr1;
    int number;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    tell("MAIN", began);
    if (getenv("BENCH_STAY") != NULL)
        sigwait(&usr1, &number);
    tell("LEFT", now());
    _exit(0);
}
