from socket import *
clientSocket = socket(AF_INET, SOCK_DGRAM)
clientSocket.settimeout(1)
clientSocket.sendto(input().encode(), ('127.0.0.1', 12000))
try:
    print(clientSocket.recvfrom(2048)[0].decode())
except timeout:
    print('no answer')
