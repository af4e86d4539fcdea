# The same port twice.
from socket import *
first = socket(AF_INET, SOCK_STREAM)
first.bind(('', 12000))
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 12000))
serverSocket.listen(1)
while True:
    connectionSocket, addr = serverSocket.accept()
    connectionSocket.send(connectionSocket.recv(1024).decode().upper().encode())
    connectionSocket.close()
