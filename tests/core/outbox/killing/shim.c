/* Stands between a program and the C library's storage and socket calls (LD_PRELOAD).

   shim_begin(folder, fatal, log) begins to count: calls on files in that folder, and all calls on sockets. The process is
   killed when it makes call number `fatal` of them (the first is 1, 0 for never), and before that has any effect. Every
   change is written into the file `log`, if it is not NULL, in order: a line "op offset length path", then the octets
   (W a write, offset -1 for appended; T a length set; S a sync; U a removal). shim_count() says how many there were.

   A debugger's call injection counts for each thread by itself; this counts over all of them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;
static const char *folder;
static long count, fatal;
static int log_to = -1;

#define REAL(name) ((__typeof__(name) *)real(#name))

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

void shim_begin(const char *in, long at, const char *log) {
    fatal = at;
    if (log)
        log_to = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    folder = strdup(in);
}

long shim_count(void) {
    return count;
}

/* Takes one more call, and dies at the fatal one; the guard is held from here until done(). */
static void taken(void) {
    pthread_mutex_lock(&guard);
    if (++count == fatal) {
        syscall(SYS_kill, getpid(), SIGKILL);
        for (;;)
            pause();
    }
}

static void done(void) {
    int kept = errno;
    pthread_mutex_unlock(&guard);
    errno = kept;
}

static int ours(const char *path) {
    return folder && strncmp(path, folder, strlen(folder)) == 0;
}

/* Says whether a descriptor is a file of the folder, and its path. */
static int known(int descriptor, char path[PATH_MAX]) {
    char link[64];
    if (!folder)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return ours(path);
}

static void note(char op, long offset, const void *octets, size_t length, const char *path) {
    char head[PATH_MAX + 64];
    if (log_to < 0)
        return;
    int size = snprintf(head, sizeof head, "%c %ld %zu %s\n", op, offset, length, path);
    if (syscall(SYS_write, log_to, head, size) != size)
        abort();
    if (octets && syscall(SYS_write, log_to, octets, length) != (long)length)
        abort();
}

#define FILE_CALL(type, name, parameters, arguments, noted)                                                        \
    type name parameters {                                                                                         \
        char path[PATH_MAX];                                                                                       \
        if (!known(fd, path))                                                                                      \
            return REAL(name) arguments;                                                                           \
        taken();                                                                                                   \
        type result = REAL(name) arguments;                                                                        \
        if (result >= 0) {                                                                                         \
            noted;                                                                                                 \
        }                                                                                                          \
        done();                                                                                                    \
        return result;                                                                                             \
    }

FILE_CALL(ssize_t, pwrite64, (int fd, const void *from, size_t length, off64_t at), (fd, from, length, at),
          note('W', at, from, result, path))
FILE_CALL(ssize_t, pwrite, (int fd, const void *from, size_t length, off_t at), (fd, from, length, at),
          note('W', at, from, result, path))
FILE_CALL(ssize_t, write, (int fd, const void *from, size_t length), (fd, from, length),
          note('W', -1, from, result, path))
FILE_CALL(ssize_t, pread64, (int fd, void *to, size_t length, off64_t at), (fd, to, length, at), )
FILE_CALL(ssize_t, pread, (int fd, void *to, size_t length, off_t at), (fd, to, length, at), )
FILE_CALL(int, fdatasync, (int fd), (fd), note('S', 0, NULL, 0, path))
FILE_CALL(int, fsync, (int fd), (fd), note('S', 0, NULL, 0, path))
FILE_CALL(int, ftruncate64, (int fd, off64_t length), (fd, length), note('T', length, NULL, 0, path))
FILE_CALL(int, ftruncate, (int fd, off_t length), (fd, length), note('T', length, NULL, 0, path))
FILE_CALL(int, flock, (int fd, int operation), (fd, operation), )

static int lock_or_ask(const char *name, int fd, int command, void *argument) {
    char path[PATH_MAX];
    int (*call)(int, int, ...) = (int (*)(int, int, ...))real(name);
    if (!known(fd, path))
        return call(fd, command, argument);
    taken();
    int result = call(fd, command, argument);
    done();
    return result;
}

#define VARIADIC(name)                                                                                             \
    int name(int fd, int command, ...) {                                                                           \
        va_list more;                                                                                              \
        va_start(more, command);                                                                                   \
        void *argument = va_arg(more, void *);                                                                     \
        va_end(more);                                                                                              \
        return lock_or_ask(#name, fd, command, argument);                                                          \
    }

VARIADIC(fcntl)
VARIADIC(fcntl64)

int unlink(const char *path) {
    if (!ours(path))
        return REAL(unlink)(path);
    taken();
    int result = REAL(unlink)(path);
    if (!result)
        note('U', 0, NULL, 0, path);
    done();
    return result;
}

#define PATH_CALL(name, parameters, arguments)                                                                     \
    int name parameters {                                                                                          \
        if (!ours(path))                                                                                           \
            return REAL(name) arguments;                                                                           \
        taken();                                                                                                   \
        int result = REAL(name) arguments;                                                                         \
        done();                                                                                                    \
        return result;                                                                                             \
    }

PATH_CALL(mkdir, (const char *path, mode_t mode), (path, mode))

#define OPEN(name)                                                                                                 \
    int name(const char *path, int flags, ...) {                                                                   \
        va_list more;                                                                                              \
        va_start(more, flags);                                                                                     \
        mode_t mode = va_arg(more, mode_t);                                                                        \
        va_end(more);                                                                                              \
        if (!ours(path))                                                                                           \
            return REAL(name)(path, flags, mode);                                                                  \
        taken();                                                                                                   \
        int result = REAL(name)(path, flags, mode);                                                                \
        done();                                                                                                    \
        return result;                                                                                             \
    }

OPEN(open)
OPEN(open64)

/* A socket call may wait for the other side, so it does not hold the guard meanwhile. */
#define SOCKET_CALL(type, name, parameters, arguments)                                                             \
    type name parameters {                                                                                         \
        if (folder) {                                                                                              \
            taken();                                                                                               \
            done();                                                                                                \
        }                                                                                                          \
        return REAL(name) arguments;                                                                               \
    }

SOCKET_CALL(int, socket, (int domain, int kind, int protocol), (domain, kind, protocol))
SOCKET_CALL(int, connect, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length))
SOCKET_CALL(ssize_t, send, (int fd, const void *from, size_t length, int flags), (fd, from, length, flags))
SOCKET_CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
SOCKET_CALL(ssize_t, recv, (int fd, void *to, size_t length, int flags), (fd, to, length, flags))
SOCKET_CALL(int, shutdown, (int fd, int how), (fd, how))
