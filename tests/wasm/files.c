/* What a C program does with files and stdio. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path)
{
    char *names[64];
    size_t count = 0;
    DIR *folder = opendir(path);

    if (!folder) {
        printf("opendir: %s\n", strerror(errno));
        return;
    }
    for (struct dirent *entry; count < 64 && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    closedir(folder);
    qsort(names, count, sizeof *names, by_name);
    for (size_t i = 0; i < count; i++)
        printf(" %s", names[i]);
    printf(" (%zu)\n", count);
}

int main(int argc, char **argv)
{
    char line[256], path[256];
    struct stat status;
    struct timespec now;
    unsigned char noise[16] = {0};
    int zeros = 0;

    printf("%d arguments:", argc - 1);
    for (int i = 1; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf("\nHELLO=%s\n", getenv("HELLO") ? getenv("HELLO") : "(not set)");
    const char *folder = argc > 1 ? argv[1] : ".";

    snprintf(path, sizeof path, "%s/made", folder);
    if (mkdir(path, 0777))
        printf("mkdir: %s\n", strerror(errno));
    snprintf(path, sizeof path, "%s/made/a.txt", folder);
    FILE *file = fopen(path, "w+");
    if (!file) {
        printf("fopen: %s\n", strerror(errno));
        return 3;
    }
    for (int i = 0; i < 1000; i++)
        fprintf(file, "line %d\n", i);
    fseek(file, 7 * 5, SEEK_SET);
    fgets(line, sizeof line, file);
    printf("there: %s", line);
    fflush(file);
    ftruncate(fileno(file), 14);
    fclose(file);
    file = fopen(path, "a");
    fputs("more\n", file);
    fclose(file);
    stat(path, &status);
    printf("%lld bytes, a %s\n", (long long)status.st_size, S_ISREG(status.st_mode) ? "file" : "?");
    char other[256];
    snprintf(other, sizeof other, "%s/made/b.txt", folder);
    if (rename(path, other))
        printf("rename: %s\n", strerror(errno));
    snprintf(path, sizeof path, "%s/made/link", folder);
    if (symlink("b.txt", path))
        printf("symlink: %s\n", strerror(errno));
    ssize_t got = readlink(path, line, sizeof line);
    printf("link: %.*s\n", (int)got, line);
    snprintf(path, sizeof path, "%s/made", folder);
    list(path);
    if (rmdir(path))
        printf("rmdir: %s\n", strerror(errno));
    snprintf(path, sizeof path, "%s/made/link", folder);
    unlink(path);
    unlink(other);
    snprintf(path, sizeof path, "%s/made", folder);
    rmdir(path);
    if (!fopen("/etc/../../nowhere", "r"))
        printf("fopen: %s\n", strerror(errno));
    clock_gettime(CLOCK_REALTIME, &now);
    printf("clock: %s\n", now.tv_sec > 1700000000 ? "after 2023" : "before");
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    getentropy(noise, sizeof noise);
    for (int i = 0; i < 16; i++)
        zeros += !noise[i];
    printf("random: %s\n", zeros < 8 ? "yes" : "no");
    while (fgets(line, sizeof line, stdin))
        printf("in: %s", line);
    fflush(stdout);
    fputs("to stderr\n", stderr);
    return argc > 2 ? atoi(argv[2]) : 0;
}
