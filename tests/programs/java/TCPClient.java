import java.io.*;
import java.net.*;

class TCPClient {
    public static void main(String[] argv) throws Exception {
        BufferedReader inFromUser = new BufferedReader(new InputStreamReader(System.in));
        Socket clientSocket = new Socket("localhost", 12000);
        DataOutputStream outToServer = new DataOutputStream(clientSocket.getOutputStream());
        BufferedReader inFromServer =
            new BufferedReader(new InputStreamReader(clientSocket.getInputStream()));
        String sentence = inFromUser.readLine();
        outToServer.writeBytes(sentence + '\n');
        System.out.println("FROM SERVER: " + inFromServer.readLine());
        clientSocket.close();
    }
}
