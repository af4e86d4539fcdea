import time
time.sleep(0.4)
exec(open('TCPServer.py').read())
