#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {0};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = INADDR_ANY;
    a.sin_port = 12000;
    if (bind(s, (struct sockaddr *)&a, sizeof a) < 0) return 1;
    listen(s, 5);
    for (;;) {
        char buf[1024];
        int c = accept(s, NULL, NULL);
        int n = recv(c, buf, sizeof buf, 0);
        for (int i = 0; i < n; i++) buf[i] = toupper(buf[i]);
        send(c, buf, n, 0);
        close(c);
    }
}
