/* The lab's four programs in C, as a submission that does not wait: what is
 * measured is the tool. Called tcp-server, tcp-client, udp-server or udp-client. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void upper(char *text, ssize_t length) {
    for (ssize_t i = 0; i < length; i++)
        text[i] = (char)toupper((unsigned char)text[i]);
}

int main(int argc, char **argv) {
    char buffer[2048];
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    int tcp = strncmp(name, "tcp", 3) == 0, server = strstr(name, "server") != NULL;
    int one = 1, fd = socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (argc < 3)
        return 2;
    inet_pton(AF_INET, argv[1], &address.sin_addr);
    address.sin_port = htons((unsigned short)atoi(argv[2]));
    if (server) {
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0)
            return 1;
        if (tcp)
            listen(fd, 5);
        puts("The server is ready to receive");
        fflush(stdout);
        for (;;) {
            int with = tcp ? accept(fd, NULL, NULL) : fd;
            ssize_t n = recvfrom(with, buffer, sizeof buffer, 0, (struct sockaddr *)&peer, &length);
            if (n < 0)
                return 1;
            upper(buffer, n);
            if (tcp) {
                send(with, buffer, (size_t)n, 0);
                close(with);
            } else {
                sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&peer, length);
            }
        }
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("connect");
        return 1;
    }
    if (fgets(buffer, sizeof buffer, stdin) == NULL)
        return 1;
    buffer[strcspn(buffer, "\n")] = '\0';
    send(fd, buffer, strlen(buffer), 0);
    ssize_t n = recv(fd, buffer, sizeof buffer, 0);
    if (n < 0) {
        perror("recv");
        return 1;
    }
    printf("From Server: %.*s\n", (int)n, buffer);
    return 0;
}
