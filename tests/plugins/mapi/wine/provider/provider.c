/* A mail program as Simple MAPI knows one: a DLL that mapi32.dll loads into the process of whoever sends.
 *
 * It writes what it was asked into C:\simple\asked.jsonl, a line for each call, every text and file in hexadecimal
 * digits as it lay in memory or on the disk; what it does then stands in C:\simple\behaviour.txt:
 *
 *     answer 3             return that code; 0 writes a line {"sent": 1} before
 *     stall 60000          send after so many milliseconds
 *     die before           end the process in the call, nothing sent
 *     die after            send, then end the process
 *     fault before         write where no memory is, nothing sent
 *
 * The structures are those of the compiler's own mapi.h, not of the code under test. The wide ones have the same layout:
 * they differ in what their texts point at. With -DNARROW the program knows no Unicode, as those before Windows 8.
 */
#include <windows.h>
#include <mapi.h>
#include <stdio.h>
#include <string.h>

#define ASKED "C:\\simple\\asked.jsonl"
#define BEHAVIOUR "C:\\simple\\behaviour.txt"
#define OFFERED __declspec(dllexport)

static void octets(FILE *out, const unsigned char *start, size_t count)
{
    for (size_t place = 0; place < count; place++)
        fprintf(out, "%02x", start[place]);
}

static void text(FILE *out, const char *name, const void *start, BOOL wide)
{
    fprintf(out, "\"%s\": ", name);
    if (start == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    octets(out, start, wide ? wcslen(start) * sizeof(WCHAR) : strlen(start));
    fputc('"', out);
}

/* The octets of a file, or null where it can't be read: it has to be there as long as the call lasts. */
static void content(FILE *out, const void *path, BOOL wide)
{
    unsigned char some[4096];
    size_t count;
    FILE *file = path == NULL ? NULL : wide ? _wfopen(path, L"rb") : fopen(path, "rb");

    fputs(", \"content\": ", out);
    if (file == NULL) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    while ((count = fread(some, 1, sizeof some, file)) > 0)
        octets(out, some, count);
    fputc('"', out);
    fclose(file);
}

static void people(FILE *out, ULONG count, const MapiRecipDesc *one, BOOL wide)
{
    fputs(", \"people\": [", out);
    for (ULONG number = 0; number < count; number++, one++) {
        fprintf(out, "%s{\"kind\": %lu, \"reserved\": %lu, \"entry\": %lu, ", number ? ", " : "", one->ulRecipClass,
                one->ulReserved, one->ulEIDSize);
        text(out, "name", one->lpszName, wide);
        fputs(", ", out);
        text(out, "address", one->lpszAddress, wide);
        fputc('}', out);
    }
    fputc(']', out);
}

static void files(FILE *out, ULONG count, const MapiFileDesc *one, BOOL wide)
{
    fputs(", \"files\": [", out);
    for (ULONG number = 0; number < count; number++, one++) {
        fprintf(out, "%s{\"flags\": %lu, \"place\": %lu, ", number ? ", " : "", one->flFlags, one->nPosition);
        text(out, "path", one->lpszPathName, wide);
        fputs(", ", out);
        text(out, "name", one->lpszFileName, wide);
        content(out, one->lpszPathName, wide);
        fputc('}', out);
    }
    fputc(']', out);
}

static void write_down(const MapiMessage *message, LHANDLE session, ULONG_PTR window, FLAGS flags, BOOL wide)
{
    FILE *out = fopen(ASKED, "ab");

    if (out == NULL)
        ExitProcess(9);
    fprintf(out, "{\"wide\": %d, \"session\": %llu, \"window\": %llu, \"flags\": %lu, \"message_flags\": %lu, \"originator\": %d, ",
            wide, (unsigned long long)session, (unsigned long long)window, flags, message->flFlags,
            message->lpOriginator != NULL);
    text(out, "subject", message->lpszSubject, wide);
    fputs(", ", out);
    text(out, "text", message->lpszNoteText, wide);
    people(out, message->nRecipCount, message->lpRecips, wide);
    files(out, message->nFileCount, message->lpFiles, wide);
    fputs("}\n", out);
    fclose(out);
}

static ULONG sent(void)
{
    FILE *out = fopen(ASKED, "ab");

    if (out == NULL)
        ExitProcess(9);
    fputs("{\"sent\": 1}\n", out);
    fclose(out);
    return SUCCESS_SUCCESS;
}

static ULONG behave(void)
{
    char what[16] = "answer", how[16] = "0";
    FILE *told = fopen(BEHAVIOUR, "rb");
    volatile int *nowhere = NULL;

    if (told != NULL) {
        if (fscanf(told, "%15s %15s", what, how) != 2)
            ExitProcess(9);
        fclose(told);
    }
    if (strcmp(what, "stall") == 0)
        Sleep(strtoul(how, NULL, 10));
    if (strcmp(how, "after") == 0)
        sent();
    if (strcmp(what, "fault") == 0)
        *nowhere = 1;
    if (strcmp(what, "die") == 0)
        TerminateProcess(GetCurrentProcess(), 3);
    if (strcmp(what, "answer") == 0 && strcmp(how, "0") != 0)
        return strtoul(how, NULL, 10);
    return sent();
}

OFFERED ULONG WINAPI MAPISendMail(LHANDLE session, ULONG_PTR window, lpMapiMessage message, FLAGS flags, ULONG reserved)
{
    (void)reserved;
    write_down(message, session, window, flags, FALSE);
    return behave();
}

#ifndef NARROW
OFFERED ULONG WINAPI MAPISendMailW(LHANDLE session, ULONG_PTR window, lpMapiMessage message, FLAGS flags, ULONG reserved)
{
    (void)reserved;
    write_down(message, session, window, flags, TRUE);
    return behave();
}
#endif

/* The rest of the interface, which nobody here has to call. */

OFFERED ULONG WINAPI MAPILogon(ULONG_PTR window, LPSTR profile, LPSTR password, FLAGS flags, ULONG reserved, LPLHANDLE session)
{
    (void)window, (void)profile, (void)password, (void)flags, (void)reserved;
    *session = 1;
    return SUCCESS_SUCCESS;
}

OFFERED ULONG WINAPI MAPILogoff(LHANDLE session, ULONG_PTR window, FLAGS flags, ULONG reserved)
{
    (void)session, (void)window, (void)flags, (void)reserved;
    return SUCCESS_SUCCESS;
}

OFFERED ULONG WINAPI MAPIFreeBuffer(LPVOID buffer)
{
    (void)buffer;
    return SUCCESS_SUCCESS;
}

OFFERED ULONG WINAPI MAPISendDocuments(ULONG_PTR window, LPSTR between, LPSTR paths, LPSTR names, ULONG reserved)
{
    (void)window, (void)between, (void)paths, (void)names, (void)reserved;
    return MAPI_E_NOT_SUPPORTED;
}

OFFERED ULONG WINAPI MAPIResolveName(LHANDLE session, ULONG_PTR window, LPSTR name, FLAGS flags, ULONG reserved,
                                     lpMapiRecipDesc *found)
{
    (void)session, (void)window, (void)name, (void)flags, (void)reserved, (void)found;
    return MAPI_E_UNKNOWN_RECIPIENT;
}
