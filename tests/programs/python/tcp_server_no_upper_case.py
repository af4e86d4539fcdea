# upper() gives a new string; what it gave is lost.
from socket import *
serverSocket = socket(AF_INET, SOCK_STREAM)
serverSocket.bind(('', 12000))
serverSocket.listen(1)
while True:
    connectionSocket, addr = serverSocket.accept()
    sentence = connectionSocket.recv(1024).decode()
    sentence.upper()
    connectionSocket.send(sentence.encode())
    connectionSocket.close()
