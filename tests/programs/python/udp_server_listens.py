# Half TCP, half UDP.
from socket import *
serverSocket = socket(AF_INET, SOCK_DGRAM)
serverSocket.listen(1)
