/* A library that an image has LD_PRELOAD put into everybody, as agents and allocators are. It says that it is in. */

#include <unistd.h>

__attribute__((constructor)) static void arrive(void) {
    if (write(1, "agent\n", 6) != 6)
        _exit(1);
}
