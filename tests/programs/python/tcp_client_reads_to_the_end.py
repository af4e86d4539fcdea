# Waits for the server to close, which waits for more.
from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
clientSocket.send(input().encode())
answer = b''
while True:
    part = clientSocket.recv(1024)
    if not part:
        break
    answer += part
print('From Server:', answer.decode())
