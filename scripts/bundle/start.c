/* bin/python3, the way in: become the interpreter, whom the image's loader variables must not reach.
 *
 * Law of this file: it is linked statically, asks nothing of the image, and leaves nothing behind.
 *
 * LD_PRELOAD of an image (jemalloc, gcompat, an agent's) names a library that is linked with the image's libc. Our
 * loader would put it into us, and it is another libc: exit code 127, or a segmentation fault, as PID 1. Such
 * variables are main's, so they are hidden under another name, and plans.py gives main the one that they had.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HIDDEN "INITD_HIDDEN_"

extern char **environ;

static int fail(void) {
    dprintf(2, "cannot start " PYTHON ": %s; take all of /opt/initd from one bundle\n", strerror(errno));
    return 125;
}

int main(int argc, char **argv) {
    (void)argc;
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, "LD_", 3) != 0 && strncmp(*entry, "GLIBC_TUNABLES=", 15) != 0)
            continue;
        char *hidden = malloc(sizeof HIDDEN + strlen(*entry));
        if (hidden == NULL)
            return fail();
        *entry = strcat(strcpy(hidden, HIDDEN), *entry);
    }
    argv[0] = PYTHON;
    execve(PYTHON, argv, environ);
    return fail();
}
