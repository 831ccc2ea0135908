package server

import (
	"net/netip"
	"path/filepath"
	"time"
)

// A Config is what can be set from outside. Each field is one setting, and its
// tags are all there is to know of it: json the name, default, min, max, enum
// and format what it may be, doc what it means. A field that is zero has its
// default.
type Config struct {
	// Dir is where relative paths begin; empty for the working directory.
	Dir string `json:"-"`

	Addr           string         `json:"addr" default:"127.0.0.1:8080" format:"address" doc:"Address to listen on, as host:port. Without a host it is every address of the machine, and port 0 takes a free one."`
	Flows          string         `json:"flows" default:"flows" doc:"Folder of the flow files. Where it is not set and there is no folder flows, the flows that come with Sluice are served."`
	Folders        []string       `json:"folders" format:"folder" doc:"Folders below flows whose flows are served, as in auth. Without any it is all of them. The others are checked all the same."`
	Compat         []string       `json:"compat" enum:"altogic|tenant" doc:"Systems whose clients are served, each by the flows in the folder of its name: altogic or tenant. Without any these folders are not served, only checked."`
	Data           string         `json:"data" default:"data" doc:"Folder of the embedded database. It is made where it is missing, and one process at a time can use it."`
	Store          string         `json:"store" doc:"Where users and sessions are kept, as a URL: sqlite: and a folder, or mongodb://HOST/NAME for a MongoDB that many processes share. Where it is not set it is the embedded database in the data folder."`
	Vars           []string       `json:"vars" format:"variable" doc:"Names of environment variables that flows may read as $env.NAME. They are secrets: no answer and no log shows them."`
	APIKeys        []KeyHash      `json:"api-key-hashes" doc:"SHA-256, in hex, of API keys that every flow with an apiKey line accepts. Keys with a scope and an end are made by sluice key add."`
	APIKeyInQuery  bool           `json:"api-key-in-query" default:"false" doc:"Also read API keys from the address, as ?apikey=KEY. Addresses get into histories and logs of proxies, so this is for clients that cannot send a header."`
	TrustedProxies []netip.Prefix `json:"trusted-proxies" doc:"Networks of the proxies whose X-Forwarded-For is believed, as in 10.0.0.0/8. Without them a caller's address is its peer's."`
	Origins        []string       `json:"origins" format:"origin" doc:"Web pages that may call from a browser, as in https://app.example.com, or * for every page."`
	BasePath       string         `json:"base-path" format:"path" doc:"Path that callers may send in front of all others, as in /e:abc, for clients whose address of the server has one."`
	ClientKeys     []string       `json:"client-keys" doc:"Keys of applications that flows with a clientKey line accept, as X-Client-Key. They are public and prove nothing. Without any every key will do."`
	SessionCookie  string         `json:"session-cookie" default:"off" enum:"off|lax|strict" doc:"Let pages in browsers keep the token of their session in a cookie that no script can read, __Host-session. It takes TLS in front. With strict the cookie does not come along where a link of another site leads here, with lax it does."`
	MaxBody        Size           `json:"max-body" default:"64KiB" min:"1KiB" max:"64MiB" doc:"Longest body of a request."`
	Timeout        time.Duration  `json:"timeout" default:"30s" min:"1ms" max:"5m" doc:"How long a flow may run that names no timeout of its own."`
	MinPassword    int            `json:"min-password" default:"15" min:"6" max:"64" doc:"Least characters of a new password. Less than 15 is for services that ask for a second factor, and less than 8 for applications that come from elsewhere until their users have chosen longer ones."`
	SignInFailures int            `json:"sign-in-failures" default:"10" min:"3" max:"100" doc:"Wrong passwords for one account, and wrong answers of one passkey, in an hour; beyond half of them answers come later, beyond all of them they are refused. A place where the owner signed in lately has an allowance of its own, so that nobody can lock an owner out. More than 100 would let weak passwords be guessed."`
	HostFailures   int            `json:"address-failures" default:"300" min:"10" max:"100000" doc:"Wrong passwords, passkeys and sign-ins at providers from one address, or one IPv6 /64, in an hour, whatever the account. Many people can be behind one address. Where a proxy is in front, set trusted-proxies, or all callers are counted as one."`
	Providers      []Provider     `json:"oidc-providers" doc:"Where users can sign in by OpenID Connect, each with name, issuer, client-id, redirect (the page to which the provider sends users back), secret-env (the environment variable with the secret), scopes and trust-email. trust-email is for providers that let nobody name the address of somebody else: only their word makes an address verified."`
	PasskeyDomain  string         `json:"passkey-domain" default:"localhost" doc:"Domain to which passkeys are bound, as in example.com. Passkeys are lost when it changes."`
	PasskeyOrigins []string       `json:"passkey-origins" format:"origin" doc:"Web pages of that domain that may use passkeys, as in https://app.example.com. Where it is not set it is https:// and the domain, or the server's own port on localhost."`
	Notice         time.Duration  `json:"notice" default:"0s" min:"0s" max:"5m" doc:"How long a server that was told to stop still takes requests while /readyz says no, so that load balancers can turn elsewhere."`
	NoWatch        bool           `json:"no-watch" default:"false" doc:"Do not reload flows when their files change. SIGHUP still does."`
	MailURL        string         `json:"mail-url" format:"mail" secret:"true" doc:"Mail server, as in smtps://user:password@mail.example.com, or smtp: for STARTTLS. Where it is not set, mails are kept in memory, to be read at /_studio/mail in development."`
	MailFrom       string         `json:"mail-from" doc:"Address that mails come from, as in Shop <shop@example.com>. Wanted with mail-url."`
	SMSURL         string         `json:"sms-url" format:"webhook" doc:"Webhook that delivers texts to phones, as in https://texts.example.com/send: it gets {\"to\": \"+14155550100\", \"text\": \"...\"} as JSON by POST. Where it is not set, texts are kept in memory as mails are, to be read at /_studio/mail in development."`
	SMSSecret      string         `json:"sms-secret" secret:"true" doc:"What the webhook is shown as Authorization: Bearer, so that nobody else can have texts sent. Wanted with sms-url."`
	AppURL         string         `json:"app-url" format:"site" doc:"Where the pages of the application are that links in mails lead to, as in https://app.example.com. Wanted with mail-url; without both it is the address of the server."`
	ServerURL      string         `json:"server-url" format:"site" doc:"Where callers reach this server, for links that lead to one of its endpoints, as in https://api.example.com. Where it is not set it is the address that it listens on."`
	SecretKey      Secret         `json:"secret-key" secret:"true" doc:"Key of 64 hex digits, such as openssl rand -hex 32 makes, by which the secrets of second factors are sealed and codes of few digits hashed. It belongs where the data is not. Servers that share a store share it."`
	Studio         string         `json:"studio" default:"auto" enum:"auto|on|off" doc:"Whether /_studio is served: on, off, or auto for on where only this machine can reach addr and there are no trusted-proxies, or where studio-group is set. Without studio-group it is only ever answered to this machine."`
	StudioGroup    string         `json:"studio-group" doc:"Access group whose sessions may use the studio, from everywhere, signed in through the flows. Without it no session is asked for, and only this machine is answered."`
	StudioReadOnly bool           `json:"studio-read-only" default:"false" doc:"Let the studio show things, and change and run nothing."`
	StudioTrace    int            `json:"studio-trace" default:"0" min:"0" max:"1000000" doc:"One call of so many is traced for the studio, with secrets masked; 0 for each call without studio-group, and one of a hundred with it."`
	AuditKeys      []Secret       `json:"audit-keys" secret:"true" doc:"Keys of 64 hex digits, such as openssl rand -hex 32 makes, that seal the audit log: the first one new events, the others those of before. Without any it is one that the embedded database keeps for itself, and none in MongoDB."`
	AuditKeep      time.Duration  `json:"audit-keep" default:"9600h" min:"24h" max:"87600h" doc:"How long events stay in the audit log; 9600h are 400 days."`
	AuditFailure   string         `json:"audit-failure" default:"refuse" enum:"refuse|log" doc:"What becomes of a call whose audit event cannot be stored: refuse answers 503, log lets it go on and leaves the event in the log only."`
	LogFormat      string         `json:"log-format" default:"text" enum:"text|json" doc:"How log lines are written: text or json."`
}

// A KeyHash is the SHA-256 of an API key.
type KeyHash [32]byte

// A Secret is a key of the server, or zero for none.
type Secret [32]byte

// A Size is a number of bytes.
type Size int64

// path makes a path of the configuration one that can be opened.
func (c *Config) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.Dir, p)
}
