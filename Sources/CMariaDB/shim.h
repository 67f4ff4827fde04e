// SPDX-License-Identifier: Apache-2.0
// What the importer cannot see of libmariadb: functions with variable arguments and macros, one line each,
// named shim_ + the original name.
#pragma once
#include <mysql.h>
#include <errmsg.h>

// The one option that takes a function.
static inline int shim_mysql_optionsv_io_wait(MYSQL *mysql, int (*wait)(my_socket, my_bool, int)) { return mysql_optionsv(mysql, MARIADB_OPT_IO_WAIT, (void *)wait); }

enum { shim_SERVER_STATUS_IN_TRANS = SERVER_STATUS_IN_TRANS, shim_BINARY_CHARSET = 63 };
enum { shim_UNSIGNED_FLAG = UNSIGNED_FLAG };
