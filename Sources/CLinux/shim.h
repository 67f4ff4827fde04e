// SPDX-License-Identifier: Apache-2.0
// What the Glibc module leaves out of Linux: headers that it does not cover, and GNU extensions that it hides
// because it is built without _GNU_SOURCE.
#pragma once
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <sys/socket.h>

// The overlay's madvise advice numbers stop at POSIX's.
enum { shim_MADV_DONTDUMP = MADV_DONTDUMP, shim_MADV_WIPEONFORK = 18, shim_MADV_DONTFORK = MADV_DONTFORK };

// Without _GNU_SOURCE getrlimit takes plain integers, while the names belong to an enumeration.
enum { shim_RLIMIT_CORE = RLIMIT_CORE, shim_RLIMIT_MEMLOCK = RLIMIT_MEMLOCK };

// Variable arguments.
static inline int shim_prctl(int option, unsigned long a, unsigned long b) { return prctl(option, a, b, 0UL, 0UL); }
// Hidden without _GNU_SOURCE.
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
extern int sched_getaffinity(pid_t process, size_t size, cpu_set_t *mask);
extern int __sched_cpucount(size_t size, const cpu_set_t *mask);
static inline int shim_CPU_COUNT(const cpu_set_t *mask) { return __sched_cpucount(sizeof(cpu_set_t), mask); }

// Enumerations and unsigned macros that arrive in Swift with unhandy types.
enum {
    shim_EPOLLIN = EPOLLIN, shim_EPOLLOUT = EPOLLOUT, shim_EPOLLERR = EPOLLERR, shim_EPOLLHUP = EPOLLHUP,
    shim_EPOLLRDHUP = EPOLLRDHUP, shim_EPOLL_CLOEXEC = EPOLL_CLOEXEC,
    shim_EFD_FLAGS = EFD_CLOEXEC | EFD_NONBLOCK, shim_SOCK_STREAM_FLAGS = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
    shim_SOCK_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK
};

// Without _GNU_SOURCE the flag has no name; on every architecture it is this bit together with O_DIRECTORY.
enum { shim_O_TMPFILE = 020000000 | O_DIRECTORY };
// FICLONE takes variable arguments: the whole content of a file, shared, where the file system can do that.
static inline int shim_clone(int target, int source) { return ioctl(target, 0x40049409, source); }
// Hidden without _GNU_SOURCE.
extern ssize_t copy_file_range(int source, long *from, int target, long *to, size_t count, unsigned int flags);
static inline long shim_copy(int source, long from, int target, long to, long count) {
    return copy_file_range(source, &from, target, &to, (size_t)count, 0);
}

// Hidden without _GNU_SOURCE; so are its flags.
extern int renameat2(int source_folder, const char *source, int folder, const char *name, unsigned int flags);
enum { shim_RENAME_NOREPLACE = 1, shim_RENAME_EXCHANGE = 2 };

// struct ucred is hidden without _GNU_SOURCE. The user of the process at the other end of a unix socket; -1 when unknown.
static inline long shim_peer_user(int socket) {
    struct { pid_t process; uid_t user; gid_t group; } peer;
    socklen_t length = sizeof peer;
    return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? (long)peer.user : -1L;
}
