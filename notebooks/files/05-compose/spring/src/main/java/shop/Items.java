package shop;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.data.redis.core.StringRedisTemplate;
import org.springframework.http.ResponseEntity;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/** Items live in PostgreSQL and are kept warm in Redis; every answer says who gave it, and from where. */
@SpringBootApplication
@RestController
public class Items {

    private static final Duration KEEP = Duration.ofMinutes(5);

    private final JdbcTemplate database;
    private final StringRedisTemplate cache;

    public Items(JdbcTemplate database, StringRedisTemplate cache) {
        this.database = database;
        this.cache = cache;
    }

    public static void main(String[] arguments) {
        SpringApplication.run(Items.class, arguments);
    }

    @GetMapping("/health")
    public ResponseEntity<Map<String, String>> health() throws Exception {
        return answer(200, "-", Map.of("status", "ok"));
    }

    @PostMapping("/items")
    public ResponseEntity<Map<String, Integer>> write(@RequestBody Map<String, String> wanted) throws Exception {
        String insert = "INSERT INTO item (name) VALUES (?) RETURNING id";
        Integer id = database.queryForObject(insert, Integer.class, wanted.get("name"));
        return answer(201, "-", Map.of("id", id));
    }

    @GetMapping("/items/{id}")
    public ResponseEntity<Map<String, String>> read(@PathVariable("id") int id) throws Exception {
        String key = "item:" + id;
        String kept = cache.opsForValue().get(key);
        if (kept != null) {
            return answer(200, "HIT", Map.of("name", kept));
        }
        List<String> found = database.queryForList("SELECT name FROM item WHERE id = ?", String.class, id);
        if (found.isEmpty()) {
            return answer(404, "MISS", Map.of());
        }
        cache.opsForValue().set(key, found.get(0), KEEP);
        return answer(200, "MISS", Map.of("name", found.get(0)));
    }

    private static <T> ResponseEntity<T> answer(int status, String source, T content) throws Exception {
        return ResponseEntity.status(status)
                .header("X-Served-By", InetAddress.getLocalHost().getHostName())
                .header("X-Cache", source)
                .body(content);
    }
}
