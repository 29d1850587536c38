package shop;

import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** A shop that can be told to be out of stock; its health then says so. */
@SpringBootApplication
@RestController
public class Shop implements HealthIndicator {

    private final AtomicBoolean stocked = new AtomicBoolean(true);

    public static void main(String[] arguments) {
        SpringApplication.run(Shop.class, arguments);
    }

    @GetMapping("/")
    public Map<String, String> greet() {
        return Map.of("says", "hello from Java " + Runtime.version().feature());
    }

    @PostMapping("/stock")
    public void stock(@RequestParam boolean there) {
        stocked.set(there);
    }

    @Override
    public Health health() {
        return stocked.get() ? Health.up().build() : Health.down().build();
    }
}
