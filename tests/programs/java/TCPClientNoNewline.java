import java.io.*;
import java.net.*;

// The server's readLine waits for the end of a line that never comes.
class TCPClientNoNewline {
    public static void main(String[] argv) throws Exception {
        BufferedReader inFromUser = new BufferedReader(new InputStreamReader(System.in));
        Socket clientSocket = new Socket("127.0.0.1", 12000);
        DataOutputStream outToServer = new DataOutputStream(clientSocket.getOutputStream());
        BufferedReader inFromServer =
            new BufferedReader(new InputStreamReader(clientSocket.getInputStream()));
        outToServer.writeBytes(inFromUser.readLine());
        System.out.println("FROM SERVER: " + inFromServer.readLine());
        clientSocket.close();
    }
}
