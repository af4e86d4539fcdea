#include <arpa/inet.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {0};
    a.sin_family = AF_INET;
    a.sin_port = htons(12000);
    bind(s, (struct sockaddr *)&a, sizeof a);
    listen(s, 5);
    int c = accept(s, NULL, NULL);
    char *buf = NULL;
    recv(c, (char[16]){0}, 16, 0);
    strcpy(buf, "HELLO");
    return 0;
}
