/* A command over SQLite: `sql DATABASE [STATEMENT …]`, or statements on standard input. */
#include <stdio.h>
#include <string.h>

#include "sqlite3.h"

static int row(void *unused, int count, char **values, char **names)
{
    (void)unused;
    (void)names;
    for (int i = 0; i < count; i++)
        printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    printf("\n");
    return 0;
}

static int run(sqlite3 *db, const char *text)
{
    char *error = NULL;

    if (sqlite3_exec(db, text, row, NULL, &error)) {
        fprintf(stderr, "error: %s\n", error ? error : sqlite3_errmsg(db));
        sqlite3_free(error);
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static char line[65536];
    sqlite3 *db;
    int failed = 0;

    if (argc < 2 || sqlite3_open(argv[1], &db)) {
        fprintf(stderr, "usage: sql DATABASE [STATEMENT ...]\n");
        return 2;
    }
    for (int i = 2; i < argc && !failed; i++)
        failed = run(db, argv[i]);
    while (argc == 2 && !failed && fgets(line, sizeof line, stdin))
        failed = run(db, line);
    sqlite3_close(db);
    return failed;
}
