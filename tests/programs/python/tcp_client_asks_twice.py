from socket import *
name = input('Your name:')
sentence = input('Input lowercase sentence:')
clientSocket = socket(AF_INET, SOCK_STREAM)
clientSocket.connect(('127.0.0.1', 12000))
clientSocket.send(sentence.encode())
print('From Server:', clientSocket.recv(1024).decode())
clientSocket.close()
