/* crowd: BENCH_CROWD processes that sleep, a hundred below each of their parents; then MAIN. */
#include <signal.h>
#include <sys/prctl.h>

#include "bench.h"

static void rest(void)
{
    for (;;)
        pause();
}

int main(void)
{
    long left = atol(getenv("BENCH_CROWD")) - 1;
    int ready[2];
    char byte;
    if (pipe(ready))
        return 1;
    while (left > 0) {
        long family = left < 100 ? left : 100;
        if (fork() == 0) {
            for (long i = 1; i < family; i++)
                if (fork() == 0)
                    rest();
            if (write(ready[1], "x", 1) != 1)
                return 1;
            rest();
        }
        if (read(ready[0], &byte, 1) != 1)
            return 1;
        left -= family;
    }
    tell("MAIN", now());
    rest();
}
