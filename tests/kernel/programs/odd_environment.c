/* odd_environment COMMAND…: run it with an environment that execve(2) allows and no shell or Python makes. */
#include <unistd.h>

int main(int argc, char **argv)
{
    char *environment[] = {"=no name", "TWICE=first", "TWICE=second", "no equals sign", "PLAIN=x=y", NULL};
    if (argc > 1)
        execve(argv[1], argv + 1, environment);
    return 1;
}
