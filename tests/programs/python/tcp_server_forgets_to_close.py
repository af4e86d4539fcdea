from socket import *
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 12000))
serverSocket.listen(1)
kept = []
while True:
    connectionSocket, addr = serverSocket.accept()
    kept.append(connectionSocket)
    connectionSocket.send(connectionSocket.recv(1024).decode().upper().encode())
