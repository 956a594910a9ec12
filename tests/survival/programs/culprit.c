/* culprit WHAT: main, with a child "culprit" that makes processes until no more can be made, once file go is there.
 *
 * zombies  they end at once, and the culprit waits for none
 * live     they live as long as the culprit does
 * bomb     as live, and what frees is taken at once: it tries on without a pause
 *
 * Main says "ready", the culprit "full" at the first fork that fails. Started again in the same directory, main
 * has no culprit any more.
 */
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *text)
{
    if (write(1, text, strlen(text)) < 0)
        _exit(1);
}

static void be_culprit(const char *what)
{
    int gate[2], full = 0;
    char none;

    prctl(PR_SET_NAME, "culprit");
    while (access("go", F_OK) < 0)
        usleep(1000);
    if (pipe(gate) < 0)
        _exit(1);
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            close(gate[1]);
            if (strcmp(what, "zombies") != 0 && read(gate[0], &none, 1) < 0)
                _exit(1);
            _exit(0);
        }
        if (child < 0 && !full++)
            say("full\n");
        if (child < 0 && strcmp(what, "bomb") != 0)
            pause();
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && mkdir("culprit", 0700) == 0 && fork() == 0)
        be_culprit(argv[1]);
    say("ready\n");
    for (;;)
        if (wait(NULL) < 0)
            pause();
}
