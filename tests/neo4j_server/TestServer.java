import java.nio.file.Path;
import org.neo4j.configuration.GraphDatabaseSettings;
import org.neo4j.configuration.connectors.BoltConnector;
import org.neo4j.configuration.helpers.SocketAddress;
import org.neo4j.dbms.api.DatabaseManagementServiceBuilder;

/**
 * A Neo4j 5 Community server that speaks Bolt on a loopback port.
 *
 * Arguments: the data folder, the port. Prints "ready" once Bolt answers, and ends when its standard input does, so
 * that it cannot outlive the tests that started it, however they end.
 */
public final class TestServer {
    public static void main(String[] args) throws Exception {
        var server = new DatabaseManagementServiceBuilder(Path.of(args[0]))
                .setConfig(BoltConnector.enabled, true)
                .setConfig(BoltConnector.listen_address, new SocketAddress("127.0.0.1", Integer.parseInt(args[1])))
                .setConfig(GraphDatabaseSettings.auth_enabled, false)
                .build();
        System.out.println("ready");
        while (System.in.read() >= 0) {
            // Nothing is ever sent: only the end of the stream counts.
        }
        server.shutdown();
    }
}
