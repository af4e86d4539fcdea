from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
sentence = input('Input lowercase sentence:')
clientSocket.send(sentence)
print('From Server:', clientSocket.recv(1024))
clientSocket.close()
