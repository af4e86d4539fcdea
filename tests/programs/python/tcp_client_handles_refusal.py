import sys
from socket import *
clientSocket = socket(AF_INET, SOCK_STREAM)
try:
    clientSocket.connect(('127.0.0.1', 6789))
except OSError:
    print('The server is not running.')
    sys.exit(255)
