/* arena COMMAND…: what `unshare --pid --fork --mount-proc --kill-child` does, and the times: START is just before
 * the exec of COMMAND as PID 1, END when its namespace is gone. With BENCH_PLAIN set COMMAND is no PID 1. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bench.h"

int main(int argc, char **argv)
{
    int plain = getenv("BENCH_PLAIN") != NULL;
    if (argc < 2 || (!plain && unshare(CLONE_NEWPID | CLONE_NEWNS)))
        return 98;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (!plain && (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) || mount("proc", "/proc", "proc", 0, NULL)))
            _exit(98);
        tell("START", now());
        execvp(argv[1], argv + 1);
        _exit(98);
    }
    int status;
    waitpid(pid, &status, 0);
    tell("END", now());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
