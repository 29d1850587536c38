import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Collections;

/**
 * Writes a trust store of what Java trusts, and of the authorities in a PEM file if there is one.
 *
 * <p>{@code java Trust.java authorities.pem store.p12}: for machines behind a proxy that has an authority of its own.
 */
class Trust {
    public static void main(String[] arguments) throws Exception {
        char[] password = "changeit".toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        Path cacerts = Path.of(System.getProperty("java.home"), "lib", "security", "cacerts");
        KeyStore known = KeyStore.getInstance(cacerts.toFile(), password);
        for (String alias : Collections.list(known.aliases())) {
            store.setCertificateEntry(alias, known.getCertificate(alias));
        }
        Path further = Path.of(arguments[0]);
        if (Files.exists(further)) {
            int number = 0;
            try (var bundle = new FileInputStream(further.toFile())) {
                for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                    store.setCertificateEntry("further-" + number++, each);
                }
            }
        }
        try (var out = new FileOutputStream(arguments[1])) {
            store.store(out, password);
        }
    }
}
