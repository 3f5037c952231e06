/*
 * delay: a TCP proxy on 127.0.0.1 that holds every octet back for a fixed time, each way.
 *
 *   delay TARGET-PORT MICROSECONDS
 *
 * Prints the port it listens on, then serves until its standard input ends. What is read is stamped with the
 * moment it is due and queued; a timer writes what has become due. So the delay is latency only: pieces wait
 * side by side, and as much passes in a second as without it (up to QUEUE_LIMIT in flight each way, then it
 * stops reading, as a full network would). The handshake of TCP itself is not delayed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { PIECE_SIZE = 1 << 16, QUEUE_LIMIT = 64 << 20, MAX_EVENTS = 64 };

struct piece {
    struct piece *next;
    long long due;                     /* nanoseconds of CLOCK_MONOTONIC */
    size_t length, written;
    char octets[];
};

/* One way of a connection: octets read from `from` are due at `to`. */
struct way {
    struct link *link;
    int from, to;
    struct piece *first, *last;
    size_t queued;
    int ended, closed, wants_room;     /* ended: from is at its end; closed: to was told */
};

struct link {
    struct link *next;
    struct way ways[2];
    int broken;
};

static int poller, timer;
static long long delay_ns;
static struct link *links;

static long long now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void watch(struct way *w)
{
    /* The reader of this way's socket is this way; its writer is the other one. */
    struct way *other = &w->link->ways[w == &w->link->ways[0]];
    struct epoll_event event = {.data.ptr = w};
    if (!w->ended && w->queued < QUEUE_LIMIT)
        event.events |= EPOLLIN;
    if (other->wants_room)
        event.events |= EPOLLOUT;
    /* A socket we want nothing of is taken out: a hang-up is reported even to those who did not ask. */
    if (!event.events)
        epoll_ctl(poller, EPOLL_CTL_DEL, w->from, &event);
    else if (epoll_ctl(poller, EPOLL_CTL_MOD, w->from, &event))
        epoll_ctl(poller, EPOLL_CTL_ADD, w->from, &event);
}

static void append(struct way *w, struct piece *piece)
{
    piece->next = NULL;
    piece->due = now() + delay_ns;
    piece->written = 0;
    if (w->last)
        w->last->next = piece;
    else
        w->first = piece;
    w->last = piece;
    w->queued += piece->length;
}

static void read_from(struct way *w)
{
    while (!w->ended && w->queued < QUEUE_LIMIT) {
        struct piece *piece = malloc(sizeof *piece + PIECE_SIZE);
        ssize_t n = recv(w->from, piece->octets, PIECE_SIZE, 0);
        if (n < 0 && errno == EAGAIN) {
            free(piece);
            return;
        }
        if (n < 0)
            w->link->broken = 1;
        piece->length = n > 0 ? (size_t)n : 0;     /* an empty piece is the end, due like any other */
        w->ended = n <= 0;
        append(w, realloc(piece, sizeof *piece + piece->length));
    }
}

static void write_due(struct way *w, long long moment)
{
    w->wants_room = 0;
    while (w->first && w->first->due <= moment) {
        struct piece *piece = w->first;
        ssize_t n = 0;
        if (piece->length == 0) {
            shutdown(w->to, SHUT_WR);
            w->closed = 1;
        } else
            n = send(w->to, piece->octets + piece->written, piece->length - piece->written, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            w->wants_room = 1;
            break;
        }
        if (n < 0) {
            w->link->broken = 1;
            break;
        }
        piece->written += (size_t)n;
        w->queued -= (size_t)n;
        if (piece->written < piece->length)
            continue;
        w->first = piece->next;
        if (!w->first)
            w->last = NULL;
        free(piece);
    }
}

static void prepare(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void join(int client, struct sockaddr_in *target)
{
    int server = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(server, (struct sockaddr *)target, sizeof *target)) {
        close(server);
        close(client);
        return;
    }
    struct link *link = calloc(1, sizeof *link);
    link->ways[0] = (struct way){.link = link, .from = client, .to = server};
    link->ways[1] = (struct way){.link = link, .from = server, .to = client};
    link->next = links;
    links = link;
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &link->ways[i]};
        prepare(link->ways[i].from);
        epoll_ctl(poller, EPOLL_CTL_ADD, link->ways[i].from, &event);
    }
}

static void drop(struct link *link)
{
    for (int i = 0; i < 2; i++) {
        struct way *w = &link->ways[i];
        close(w->from);
        while (w->first) {
            struct piece *next = w->first->next;
            free(w->first);
            w->first = next;
        }
    }
    free(link);
}

/* Writes what is due on every link, forgets the finished ones and sets the timer for the next piece. */
static void turn(void)
{
    long long moment = now(), next = 0;
    for (struct link **at = &links; *at;) {
        struct link *link = *at;
        for (int i = 0; i < 2; i++)
            write_due(&link->ways[i], moment);
        if (link->broken || (link->ways[0].closed && link->ways[1].closed)) {
            *at = link->next;
            drop(link);
            continue;
        }
        for (int i = 0; i < 2; i++) {
            struct way *w = &link->ways[i];
            watch(w);
            if (w->first && !w->wants_room && (!next || w->first->due < next))
                next = w->first->due;
        }
        at = &link->next;
    }
    struct itimerspec spec = {.it_value = {next / 1000000000LL, next % 1000000000LL}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &spec, NULL);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in target = address;
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct epoll_event events[MAX_EVENTS], event = {.events = EPOLLIN};
    unsigned long long expirations;
    char ignored[256];

    if (argc != 3) {
        fputs("usage: delay TARGET-PORT MICROSECONDS\n", stderr);
        return 64;
    }
    target.sin_port = htons((unsigned short)atoi(argv[1]));
    delay_ns = atoll(argv[2]) * 1000;
    prctl(PR_SET_TIMERSLACK, 1);
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64)
        || getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("delay");
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    poller = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int own[] = {listener, timer, 0};
    for (int i = 0; i < 3; i++) {
        event.data.ptr = &own[i];
        epoll_ctl(poller, EPOLL_CTL_ADD, own[i], &event);
    }
    for (;;) {
        int n = epoll_wait(poller, events, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            void *who = events[i].data.ptr;
            if (who == &own[0])
                join(accept(listener, NULL, NULL), &target);
            else if (who == &own[1])
                (void)!read(timer, &expirations, sizeof expirations);
            else if (who == &own[2]) {
                if (read(0, ignored, sizeof ignored) <= 0)
                    return 0;
            } else
                read_from(who);
        }
        turn();
    }
}
