from socket import *
clientSocket = socket(AF_INET, SOCK_DGRAM)
server = ('10.0.4.26', 12000)
try:
    clientSocket.sendto(input('Sentence: ').encode(), server)
    print(clientSocket.recv(2048).decode())
except Exception as error:
    print('Could not reach', server, ':', error)
