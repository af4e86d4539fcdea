from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
clientSocket.send(input().encode())
print('From Server:', clientSocket.recv(1024).decode())
for i in range(50000):
    print('waiting for something to do', i)
print('the end')
clientSocket.close()
