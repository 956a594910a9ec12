/* Preloaded into every program of a scene: a clock that somebody sets, and a machine without a free file.
 *
 * The file MISFORTUNE holds two numbers that a test writes while they run: by how many seconds the wall clock is
 * wrong, and whether the table of open files is full (ENFILE). Both belong to the machine, so they are not
 * made for real; the C library is where programs ask for them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile struct { int64_t seconds, full; } nothing, *now = &nothing;

__attribute__((constructor)) static void look(void)
{
    int fd = syscall(SYS_openat, AT_FDCWD, MISFORTUNE, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return; /* a program of another user: it has no part in this */
    void *page = mmap(0, sizeof *now, PROT_READ, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        now = page;
    syscall(SYS_close, fd);
}

/* The clock. Monotonic ones are the kernel's own. */

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int failed = syscall(SYS_clock_gettime, clock, at);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += now->seconds;
    return failed;
}

time_t time(time_t *at)
{
    struct timespec found;
    clock_gettime(CLOCK_REALTIME, &found);
    return at ? *at = found.tv_sec : found.tv_sec;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec found;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &found);
    *at = (struct timeval){found.tv_sec, found.tv_nsec / 1000};
    return 0;
}

/* Whatever makes a new open file. What is open already goes on, and so does dup. */

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define REFUSED(value)                                                                                                 \
    if (now->full) {                                                                                                   \
        errno = ENFILE;                                                                                                \
        return value;                                                                                                  \
    }

static int open_at(int directory, const char *path, int flags, mode_t mode)
{
    REFUSED(-1)
    return syscall(SYS_openat, directory, path, flags, mode);
}

#define OPEN(name, arguments, directory)                                                                               \
    int name arguments                                                                                                 \
    {                                                                                                                  \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                        \
        va_end(rest);                                                                                                  \
        return open_at(directory, path, flags, mode);                                                                  \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int at, const char *path, int flags, ...), at)
OPEN(openat64, (int at, const char *path, int flags, ...), at)

DIR *opendir(const char *path)
{
    REFUSED(0)
    return NEXT(opendir)(path);
}

int pipe(int fds[2])
{
    REFUSED(-1)
    return NEXT(pipe)(fds);
}

int pipe2(int fds[2], int flags)
{
    REFUSED(-1)
    return NEXT(pipe2)(fds, flags);
}

int socket(int family, int type, int protocol)
{
    REFUSED(-1)
    return NEXT(socket)(family, type, protocol);
}

int socketpair(int family, int type, int protocol, int fds[2])
{
    REFUSED(-1)
    return NEXT(socketpair)(family, type, protocol, fds);
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    REFUSED(-1)
    return NEXT(accept4)(fd, address, length, flags);
}

int execve(const char *path, char *const argv[], char *const environment[])
{
    REFUSED(-1)
    return NEXT(execve)(path, argv, environment);
}
