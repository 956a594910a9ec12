/* handler: MAIN, and then HIT for each USR1, at the time at which its handler ran. */
#include <signal.h>

#include "bench.h"

static volatile long long hit;

static void take(int number)
{
    (void)number;
    hit = now();
}

int main(void)
{
    sigset_t usr1, before;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, &before);
    signal(SIGUSR1, take);
    tell("MAIN", now());
    for (;;) {
        sigsuspend(&before);
        tell("HIT", hit);
    }
}
