// SPDX-License-Identifier: Apache-2.0
// What `db.insert.batch256` is compared with: the same inserts as plain calls to libmariadb.
// insert-reference SOCKET USER PASSWORD-FILE DATABASE BATCHES prints rows per second.
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROWS = 256, COLUMNS = 5, BODY = 400 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

int main(int argc, char **argv) {
    if (argc != 6) fail("usage", "SOCKET USER PASSWORD-FILE DATABASE BATCHES");
    char password[256] = "";
    FILE *file = fopen(argv[3], "r");
    if (!file || !fgets(password, sizeof password, file)) fail("password", argv[3]);
    fclose(file);
    password[strcspn(password, "\n")] = 0;
    MYSQL *mysql = mysql_init(NULL);
    mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(mysql, NULL, argv[2], password, argv[4], 0, argv[1], 0)) fail("connect", mysql_error(mysql));
    if (mysql_query(mysql, "TRUNCATE TABLE record")) fail("truncate", mysql_error(mysql));

    static char sql[16384];
    strcpy(sql, "INSERT INTO `record` (`id`, `server`, `sequence`, `at`, `body`) VALUES ");
    char *end = sql + strlen(sql);
    for (int row = 0; row < ROWS; row++) end += sprintf(end, "%s(?, ?, ?, ?, ?)", row ? ", " : "");
    MYSQL_STMT *statement = mysql_stmt_init(mysql);
    if (mysql_stmt_prepare(statement, sql, (unsigned long)(end - sql))) fail("prepare", mysql_stmt_error(statement));

    static MYSQL_BIND bind[ROWS * COLUMNS];
    static unsigned char ids[ROWS][16], body[BODY];
    static long long servers[ROWS], sequences[ROWS];
    static MYSQL_TIME times[ROWS];
    memset(body, 0x5a, sizeof body);
    long long sequence = 0;
    int batches = atoi(argv[5]);
    double start = now();
    for (int batch = 0; batch < batches; batch++) {
        memset(bind, 0, sizeof bind);
        for (int row = 0; row < ROWS; row++) {
            MYSQL_BIND *b = bind + row * COLUMNS;
            sequence++;
            memset(ids[row], 0, 16);
            memcpy(ids[row], &sequence, sizeof sequence);
            servers[row] = 1;
            sequences[row] = sequence;
            times[row] = (MYSQL_TIME){.year = 2024, .month = 2, .day = 29, .time_type = MYSQL_TIMESTAMP_DATETIME};
            b[0].buffer_type = MYSQL_TYPE_BLOB, b[0].buffer = ids[row], b[0].buffer_length = 16;
            b[1].buffer_type = MYSQL_TYPE_LONGLONG, b[1].buffer = &servers[row];
            b[2].buffer_type = MYSQL_TYPE_LONGLONG, b[2].buffer = &sequences[row];
            b[3].buffer_type = MYSQL_TYPE_DATETIME, b[3].buffer = &times[row];
            b[4].buffer_type = MYSQL_TYPE_BLOB, b[4].buffer = body, b[4].buffer_length = BODY;
        }
        if (mysql_stmt_bind_param(statement, bind) || mysql_stmt_execute(statement))
            fail("execute", mysql_stmt_error(statement));
    }
    printf("%.1f\n", ROWS * batches / (now() - start));
    mysql_stmt_close(statement);
    mysql_close(mysql);
    return 0;
}
