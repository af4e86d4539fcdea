from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
clientSocket.send(input().encode())
answer = clientSocket.recv(1024).decode()
while True:
    answer = answer
