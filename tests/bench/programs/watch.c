/* watch PID: the greatest number of zombies among PID's children at once, looked at every millisecond until USR1:
 * MOST and that number. */
#include <signal.h>
#include <string.h>

#include "bench.h"

static volatile sig_atomic_t over;

static void stop(int number)
{
    over = number;
}

static int is_zombie(long pid)
{
    char path[64], text[256];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return 0;
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    text[size > 0 ? size : 0] = 0;
    char *end = strrchr(text, ')');
    return end != NULL && end[2] == 'Z';
}

int main(int argc, char **argv)
{
    static char list[1 << 20];
    char path[96];
    int most = 0;
    if (argc != 2)
        return 1;
    snprintf(path, sizeof path, "/proc/%s/task/%s/children", argv[1], argv[1]);
    signal(SIGUSR1, stop);
    tell("WATCHING", now());
    while (!over) {
        int zombies = 0, fd = open(path, O_RDONLY);
        ssize_t size = 0, part;
        while (fd >= 0 && (part = read(fd, list + size, sizeof list - 1 - size)) > 0)
            size += part;
        if (fd >= 0)
            close(fd);
        list[size] = 0;
        for (char *word = strtok(list, " "); word != NULL; word = strtok(NULL, " "))
            zombies += is_zombie(atol(word));
        most = zombies > most ? zombies : most;
        usleep(1000);
    }
    tell("MOST", most);
    return 0;
}
