#include "kernel/base/secrets.hpp"

#include <catch2/catch.hpp>

namespace hermes {

// The samples are put together here, so that no scanner takes this file for a leak.
namespace {
std::string sample(const std::string& prefix, std::size_t length) {
  const std::string alphabet = "a1B2c3D4e5F6g7H8i9J0";
  std::string out = prefix;
  while (out.size() < length) {
    out += alphabet[out.size() % alphabet.size()];
  }
  return out;
}
}  // namespace

TEST_CASE("what has the form of a secret is masked, and nothing around it") {
  for (const std::string& key :
       {sample("sk-", 48), sample("sk-ant-", 60), sample("ghp_", 40), sample("github_pat_", 60),
        sample("glpat-", 26), sample("xoxb-", 40), sample("hf_", 37), sample("AKIA", 20)}) {
    const std::string masked = mask_secrets("use " + key + " now");
    INFO(masked);
    CHECK(masked.starts_with("use " + key.substr(0, 4) + "***"));
    CHECK(masked.ends_with(key.substr(key.size() - 4) + " now"));
    CHECK(masked.find(key.substr(4, 10)) == std::string::npos);
  }
  const std::string jwt = sample("eyJ", 20) + "." + sample("x", 30) + "." + sample("y", 43);
  CHECK(mask_secrets("token is " + jwt).find(jwt) == std::string::npos);
  CHECK(mask_secrets("Authorization: Bearer " + sample("", 30)).find(sample("", 30)) ==
        std::string::npos);
  CHECK(mask_secrets("postgres://bob:hunter2@db/x") == "postgres://bob:***@db/x");
  CHECK(mask_secrets("PASSWORD=hunter22 make") == "PASSWORD=*** make");
  CHECK(mask_secrets("export API_KEY='abc def'") == "export API_KEY='***'");
  CHECK(mask_secrets(R"({"db_password": "hunter2", "n": 1})") ==
        R"({"db_password": "***", "n": 1})");
  CHECK(mask_secrets("client-secret: " + sample("", 14)) == "client-secret: ***");
}

TEST_CASE("a private key keeps its frame only, also when it is cut off") {
  const std::string head = std::string("-----BEGIN RSA PRIVATE") + " KEY-----";
  const std::string tail = std::string("-----END RSA PRIVATE") + " KEY-----";
  CHECK(mask_secrets("a\n" + head + "\nMIIabc\ndef\n" + tail + "\nb") ==
        "a\n" + head + "\n***\n" + tail + "\nb");
  CHECK(mask_secrets(head + "\nMIIabc") == head + "\n***\n");
  const std::string certificate = "-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----";
  CHECK(mask_secrets(certificate) == certificate);
}

TEST_CASE("a private key on one line is masked, and what follows it stays") {
  const std::string head = std::string("-----BEGIN PRIVATE") + " KEY-----";
  const std::string tail = std::string("-----END PRIVATE") + " KEY-----";
  const std::string once = mask_secrets("k " + head + R"(\nMIIabc\ndef\n)" + tail + R"(\n and on)");
  CHECK(once == "k " + head + "***" + tail + R"(\n and on)");
  CHECK(mask_secrets(once) == once);
}

TEST_CASE("the value of an Authorization header is masked without a digit in it") {
  CHECK(mask_secrets("Authorization: Basic dXNlcjpwYXNz") == "Authorization: Basic ***");
  CHECK(mask_secrets("curl -u basic dXNlcjpwYXNz x") == "curl -u basic *** x");
  CHECK(mask_secrets("Authorization: Bearer abcdefghijklmnopqrstuvwx") ==
        "Authorization: Bearer abcd***uvwx");
  CHECK(mask_secrets(R"({"Authorization": "Bearer abcdefghijklmnopqrstuvwx"})") ==
        R"({"Authorization": "Bearer abcd***uvwx"})");
}

TEST_CASE("a secret is found in JSON within JSON, and after a written line break") {
  CHECK(mask_secrets(R"("{\"password\": \"hunter2secret99\", \"n\": \"x\"}")") ==
        R"("{\"password\": \"***\", \"n\": \"x\"}")");
  CHECK(mask_secrets(R"({\"password\": \"a\\\"bcd\", \"n\": 1})") ==
        R"({\"password\": \"***\", \"n\": 1})");
  const std::string key = sample("ghp_", 40);
  CHECK(mask_secrets("a\\n" + key).find(key) == std::string::npos);
  CHECK(mask_secrets(R"(C:\token=hunter22)") == R"(C:\token=***)");
}

TEST_CASE("paths, branches and ports are no secrets") {
  for (const std::string text :
       {"basic tests/unit/test_board2.py fails", "the token kernel/base/secrets_v2.cpp",
        "branch sk-1234-fix-login-redirect-loop", "npm_config_registry_timeout_30000",
        "http://host:8080,mail=admin@x.com", "Authorization: Basic authentication is used",
        "authorization: bearer authentication-middleware-2", "PIN: token=abc"}) {
    CHECK(mask_secrets(text) == text);
  }
}

TEST_CASE("plain text comes back byte for byte") {
  for (const std::string text :
       {"", "The secret: never give up.", "max_tokens = 4096, token_count=12", "a=b c:d e",
        "PASSWORD=$PW; TOKEN=$(cat token) SECRET=${S:-x} API_KEY={key}", "password: <yours>",
        "see https://example.org:8080/a@b and mailto:x@y.z", "sk-learn and sk-8 are libraries",
        "ghp_short", "eyJhbGciOiJ.short.x", "basic instructions for beginners",
        "token=none secret=no", "password_file=/etc/x", "日本語 = 値", "a\0b", "\xff\xfe",
        "the token bucket holds ten", "-----BEGIN PUBLIC KEY-----"}) {
    CHECK(mask_secrets(text) == text);
  }
}

TEST_CASE("masking twice changes nothing more, and as much as metadata may hold takes no time") {
  const std::string once =
      mask_secrets("PASSWORD=hunter22 " + sample("ghp_", 40) + " postgres://a:bcdef@h/");
  CHECK(mask_secrets(once) == once);
  for (const std::string& text :
       {"password=" + sample("", 20), "\"token\": \"" + sample("", 30) + "\"",
        "https://bob:" + sample("", 24) + "@host/", "token=\"E***" + sample("", 20) + "\""}) {
    const std::string masked = mask_secrets(text);
    CHECK(masked != text);
    CHECK(mask_secrets(masked) == masked);
  }
  constexpr std::size_t k_most = 256 * 1024;
  std::string long_text;
  while (long_text.size() < k_most) {
    long_text += "-----BEGIN sk-token=a:b ://x:y password ";
  }
  CHECK(mask_secrets(long_text).size() > 1000);
  for (const std::string piece :
       {"sk-", "token=$", "token:", "eyJ.", "bearer ", "://", "password"}) {
    std::string many;
    while (many.size() < k_most) {
      many += piece;
    }
    CHECK(!mask_secrets(many).empty());
  }
  CHECK(mask_secrets(std::string(k_most, 'a')).size() == k_most);
  CHECK(mask_secrets(std::string(k_most, '-')).size() == k_most);
}

TEST_CASE("in what may be a program only what surely is a secret is masked") {
  const std::string key = std::string("gh") + "p_a1B2c3D4e5F6g7H8i9J0a1B2c3D4e5F6";
  for (const std::string program :
       {"password = os.environ[\"DB_PASSWORD\"]", "TOKEN=$(cat token)",
        "api_key: str = settings.key", "secret = get_secret(\"prod/db1\")", "TOKEN=\"$1\"",
        "password = input('Password 123456? ')", "mysql --password=hunter2",
        "access_token = response.json()['token1234567']"}) {
    CHECK(mask_surely_secret(program) == program);
  }
  CHECK(mask_surely_secret("curl -H 'Authorization: Bearer abcdefghij0123456789'")
            .find("abcdefghij") == std::string::npos);
  CHECK(mask_surely_secret("git clone https://ann:hunter22@host/x") ==
        "git clone https://ann:***@host/x");
  CHECK(mask_surely_secret("export KEY=" + key).find(key) == std::string::npos);
  CHECK(mask_surely_secret("API_TOKEN=4f9a8b7c6d5e4f3a2b1c").find("8b7c6d5e") == std::string::npos);
  CHECK(mask_surely_secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----") ==
        "-----BEGIN PRIVATE KEY-----\n***\n-----END PRIVATE KEY-----");
}

}  // namespace hermes
