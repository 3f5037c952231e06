/*
 * sink: accepts mail over SMTP on 127.0.0.1 as fast as it can, keeps none of it, and counts.
 *
 *   sink [AUTH-PLAIN-RESPONSE]
 *
 * Prints the port it listens on, then serves one thread a connection until its standard input ends, so it
 * never outlives the program that started it. Offers PIPELINING (RFC 2920), SIZE (1870), 8BITMIME (6152),
 * SMTPUTF8 (6531), CHUNKING (3030) and, given the base64 response it shall accept, AUTH PLAIN (4954).
 *
 * Replies are collected while input is left and written in one piece before the next read, as RFC 2920 asks
 * of a server. A body costs a memchr() a line and nothing else. Beyond SMTP it answers one command of its
 * own: XCOUNT -> "250 messages=N octets=N refusals=N".
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_SIZE = 1 << 18, LINE_LIMIT = 4096, REPLY_LIMIT = 1 << 16 };

static atomic_ulong messages, octets, refusals;
static const char *auth_response;

struct session {
    int fd;
    enum { COMMAND, DATA, CHUNK, AUTH } expects;
    int signed_in, has_sender, has_recipient;
    int matched;                       /* octets of CRLF . CRLF seen so far */
    unsigned long chunk_left;
    int chunk_is_last;
    char line[LINE_LIMIT];
    size_t line_length;
    char replies[REPLY_LIMIT];
    size_t reply_length;
    int over;
};

static void flush(struct session *s)
{
    size_t sent = 0;
    while (sent < s->reply_length) {
        ssize_t n = send(s->fd, s->replies + sent, s->reply_length - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            s->over = 1;
            break;
        }
        sent += (size_t)n;
    }
    s->reply_length = 0;
}

static void reply(struct session *s, const char *text)
{
    size_t length = strlen(text);
    if (s->reply_length + length > REPLY_LIMIT)
        flush(s);
    memcpy(s->replies + s->reply_length, text, length);
    s->reply_length += length;
}

static void refuse(struct session *s, const char *text)
{
    refusals++;
    reply(s, text);
}

static void accept_message(struct session *s)
{
    messages++;
    s->has_sender = s->has_recipient = 0;
    s->expects = COMMAND;
    reply(s, "250 2.0.0 accepted\r\n");
}

static void say_extensions(struct session *s)
{
    reply(s, "250-sink\r\n250-PIPELINING\r\n250-SIZE 1000000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
             "250-ENHANCEDSTATUSCODES\r\n");
    if (auth_response)
        reply(s, "250-AUTH PLAIN\r\n");
    reply(s, "250 CHUNKING\r\n");
}

static void sign_in(struct session *s, const char *response)
{
    s->expects = COMMAND;
    if (!auth_response || strcmp(response, auth_response) != 0) {
        refuse(s, "535 5.7.8 not that one\r\n");
        return;
    }
    s->signed_in = 1;
    reply(s, "235 2.7.0 signed in\r\n");
}

static void begin_auth(struct session *s, const char *argument)
{
    if (strncasecmp(argument, "PLAIN", 5) != 0)
        refuse(s, "504 5.5.4 PLAIN only\r\n");
    else if (argument[5] == ' ')
        sign_in(s, argument + 6);
    else {
        s->expects = AUTH;
        reply(s, "334 \r\n");
    }
}

static void begin_chunk(struct session *s, const char *argument)
{
    char *rest;
    s->chunk_left = strtoul(argument, &rest, 10);
    s->chunk_is_last = strncasecmp(rest, " LAST", 5) == 0;
    if (!s->has_recipient || rest == argument) {
        refuse(s, "503 5.5.1 RCPT first\r\n");
        s->over = 1;                   /* its octets would be read as commands */
        return;
    }
    s->expects = CHUNK;
}

static void end_chunk(struct session *s)
{
    s->expects = COMMAND;
    if (s->chunk_is_last)
        accept_message(s);
    else
        reply(s, "250 2.0.0 chunk taken\r\n");
}

static void say_counts(struct session *s)
{
    char text[128];
    snprintf(text, sizeof text, "250 messages=%lu octets=%lu refusals=%lu\r\n", messages, octets, refusals);
    reply(s, text);
}

static int is(const char *line, const char *verb)
{
    size_t length = strlen(verb);
    return strncasecmp(line, verb, length) == 0 && (line[length] == ' ' || line[length] == '\0');
}

static void obey(struct session *s, const char *line)
{
    if (s->expects == AUTH)
        sign_in(s, line);
    else if (is(line, "EHLO"))
        say_extensions(s);
    else if (is(line, "HELO"))
        reply(s, "250 sink\r\n");
    else if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
        if (auth_response && !s->signed_in)
            refuse(s, "530 5.7.0 sign in first\r\n");
        else if (s->has_sender)
            refuse(s, "503 5.5.1 one sender at a time\r\n");
        else {
            s->has_sender = 1;
            reply(s, "250 2.1.0 sender\r\n");
        }
    } else if (strncasecmp(line, "RCPT TO:", 8) == 0) {
        if (!s->has_sender)
            refuse(s, "503 5.5.1 MAIL first\r\n");
        else {
            s->has_recipient = 1;
            reply(s, "250 2.1.5 recipient\r\n");
        }
    } else if (is(line, "DATA")) {
        if (!s->has_recipient)
            refuse(s, "503 5.5.1 RCPT first\r\n");
        else {
            s->expects = DATA;
            s->matched = 2;            /* the CRLF of the command counts: ".CRLF" alone ends an empty body */
            reply(s, "354 go on\r\n");
        }
    } else if (is(line, "BDAT"))
        begin_chunk(s, line + 5);
    else if (is(line, "RSET")) {
        s->has_sender = s->has_recipient = 0;
        reply(s, "250 2.0.0 reset\r\n");
    } else if (is(line, "NOOP"))
        reply(s, "250 2.0.0 here\r\n");
    else if (is(line, "AUTH"))
        begin_auth(s, line + 5);
    else if (is(line, "XCOUNT"))
        say_counts(s);
    else if (is(line, "QUIT")) {
        reply(s, "221 2.0.0 bye\r\n");
        s->over = 1;
    } else
        refuse(s, "500 5.5.2 what\r\n");
}

/* Each take_ function returns how many octets of `in` it used. */

static size_t take_command(struct session *s, const char *in, size_t length)
{
    const char *end = memchr(in, '\n', length);
    size_t used = end ? (size_t)(end - in) + 1 : length;
    if (s->line_length + used >= LINE_LIMIT) {
        refuse(s, "500 5.5.2 line too long\r\n");
        s->over = 1;
        return length;
    }
    memcpy(s->line + s->line_length, in, used);
    s->line_length += used;
    if (end) {
        while (s->line_length && (s->line[s->line_length - 1] == '\n' || s->line[s->line_length - 1] == '\r'))
            s->line_length--;
        s->line[s->line_length] = '\0';
        s->line_length = 0;
        obey(s, s->line);
    }
    return used;
}

static size_t take_data(struct session *s, const char *in, size_t length)
{
    static const char end[] = "\r\n.\r\n";
    size_t at = 0;
    while (at < length) {
        if (s->matched == 0) {
            const char *found = memchr(in + at, '\r', length - at);
            if (!found)
                return length;
            at = (size_t)(found - in) + 1;
            s->matched = 1;
            continue;
        }
        char c = in[at++];
        s->matched = c == end[s->matched] ? s->matched + 1 : c == '\r';
        if (s->matched == 5) {
            accept_message(s);
            break;
        }
    }
    return at;
}

static size_t take_chunk(struct session *s, size_t length)
{
    size_t used = length < s->chunk_left ? length : s->chunk_left;
    s->chunk_left -= used;
    if (s->chunk_left == 0)
        end_chunk(s);
    return used;
}

static void take(struct session *s, const char *in, size_t length)
{
    size_t at = 0;
    while (at < length && !s->over) {
        size_t used = s->expects == DATA    ? take_data(s, in + at, length - at)
                      : s->expects == CHUNK ? take_chunk(s, length - at)
                                            : take_command(s, in + at, length - at);
        if (s->expects == CHUNK && s->chunk_left == 0)
            end_chunk(s);              /* "BDAT 0 LAST" has no octets to wait for */
        at += used;
    }
}

static void *serve(void *argument)
{
    struct session *s = calloc(1, sizeof *s);
    char *in = malloc(READ_SIZE);
    s->fd = (int)(long)argument;
    reply(s, "220 sink ESMTP\r\n");
    flush(s);
    while (!s->over) {
        ssize_t n = recv(s->fd, in, READ_SIZE, 0);
        if (n <= 0)
            break;
        octets += (unsigned long)n;
        take(s, in, (size_t)n);
        flush(s);
    }
    close(s->fd);
    free(in);
    free(s);
    return NULL;
}

static void *listen_for_ever(void *argument)
{
    int listener = (int)(long)argument, on = 1;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, (void *)(long)fd) == 0)
            pthread_detach(thread);
        else
            close(fd);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    pthread_t thread;
    char ignored[256];

    if (argc > 1)
        auth_response = argv[1];
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 64)
        || getsockname(listener, (struct sockaddr *)&address, &size)) {
        perror("sink");
        return 1;
    }
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    pthread_create(&thread, NULL, listen_for_ever, (void *)(long)listener);
    while (read(0, ignored, sizeof ignored) > 0)
        continue;
    return 0;
}
