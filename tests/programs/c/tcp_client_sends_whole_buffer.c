#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char line[1024], reply[1024];
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {0};
    a.sin_family = AF_INET;
    a.sin_port = htons(12000);
    inet_pton(AF_INET, argc > 1 ? argv[1] : "127.0.0.1", &a.sin_addr);
    if (connect(s, (struct sockaddr *)&a, sizeof a) < 0) {
        perror("connect");
        return 1;
    }
    printf("Input lowercase sentence: ");
    fgets(line, sizeof line, stdin);
    send(s, line, sizeof line, 0);
    int n = recv(s, reply, sizeof reply - 1, 0);
    reply[n < 0 ? 0 : n] = 0;
    printf("From Server: %s", reply);
    close(s);
    return 0;
}
