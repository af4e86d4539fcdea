# Headers end with \n, and the empty line is missing.
from socket import *
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 8080))
serverSocket.listen(1)
while True:
    connectionSocket, addr = serverSocket.accept()
    filename = connectionSocket.recv(1024).decode().split()[1]
    body = open(filename[1:]).read()
    connectionSocket.send(('HTTP/1.1 200 OK\n' + body).encode())
    connectionSocket.close()
