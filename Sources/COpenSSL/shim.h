// SPDX-License-Identifier: Apache-2.0
// What the importer cannot see of OpenSSL: macros and functions with variable arguments, one line each,
// named shim_ + the original name.
#pragma once
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/md5.h>
#include <openssl/param_build.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// OpenSSL 3 marks the functions on SHA256_CTX and its kin as deprecated. They stay the only ones that show the
// chaining state, which EVP hides, and that hash without allocating; they run the same assembly as EVP.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
static inline int shim_MD5_Init(void *c) { return MD5_Init((MD5_CTX *)c); }
static inline int shim_MD5_Update(void *c, const void *p, size_t n) { return MD5_Update((MD5_CTX *)c, p, n); }
static inline int shim_MD5_Final(unsigned char *md, void *c) { return MD5_Final(md, (MD5_CTX *)c); }
static inline int shim_SHA1_Init(void *c) { return SHA1_Init((SHA_CTX *)c); }
static inline int shim_SHA1_Update(void *c, const void *p, size_t n) { return SHA1_Update((SHA_CTX *)c, p, n); }
static inline int shim_SHA1_Final(unsigned char *md, void *c) { return SHA1_Final(md, (SHA_CTX *)c); }
static inline int shim_SHA224_Init(void *c) { return SHA224_Init((SHA256_CTX *)c); }
static inline int shim_SHA224_Update(void *c, const void *p, size_t n) { return SHA224_Update((SHA256_CTX *)c, p, n); }
static inline int shim_SHA224_Final(unsigned char *md, void *c) { return SHA224_Final(md, (SHA256_CTX *)c); }
static inline int shim_SHA256_Init(void *c) { return SHA256_Init((SHA256_CTX *)c); }
static inline int shim_SHA256_Update(void *c, const void *p, size_t n) { return SHA256_Update((SHA256_CTX *)c, p, n); }
static inline int shim_SHA256_Final(unsigned char *md, void *c) { return SHA256_Final(md, (SHA256_CTX *)c); }
static inline int shim_SHA384_Init(void *c) { return SHA384_Init((SHA512_CTX *)c); }
static inline int shim_SHA384_Update(void *c, const void *p, size_t n) { return SHA384_Update((SHA512_CTX *)c, p, n); }
static inline int shim_SHA384_Final(unsigned char *md, void *c) { return SHA384_Final(md, (SHA512_CTX *)c); }
static inline int shim_SHA512_Init(void *c) { return SHA512_Init((SHA512_CTX *)c); }
static inline int shim_SHA512_Update(void *c, const void *p, size_t n) { return SHA512_Update((SHA512_CTX *)c, p, n); }
static inline int shim_SHA512_Final(unsigned char *md, void *c) { return SHA512_Final(md, (SHA512_CTX *)c); }
#pragma GCC diagnostic pop
_Static_assert(sizeof(SHA512_CTX) == 216 && sizeof(SHA256_CTX) <= 216, "a hash state is kept in 27 words");
_Static_assert(sizeof(SHA_CTX) <= 216 && sizeof(MD5_CTX) <= 216, "a hash state is kept in 27 words");

enum { shim_EVP_PKEY_KEYPAIR = EVP_PKEY_KEYPAIR, shim_EVP_PKEY_PUBLIC_KEY = EVP_PKEY_PUBLIC_KEY };

// Stacks are macros over an untyped one.
static inline STACK_OF(X509) *shim_sk_X509_new_null(void) { return sk_X509_new_null(); }
static inline int shim_sk_X509_push(STACK_OF(X509) *s, X509 *x) { return sk_X509_push(s, x); }
static inline int shim_sk_X509_num(const STACK_OF(X509) *s) { return sk_X509_num(s); }
static inline X509 *shim_sk_X509_value(const STACK_OF(X509) *s, int i) { return sk_X509_value(s, i); }
static inline void shim_sk_X509_pop_free(STACK_OF(X509) *s) { sk_X509_pop_free(s, X509_free); }
static inline long shim_SSL_CTX_set_min_proto_version(SSL_CTX *c, int v) { return SSL_CTX_set_min_proto_version(c, v); }
static inline long shim_SSL_CTX_set_mode(SSL_CTX *c, long m) { return SSL_CTX_set_mode(c, m); }
static inline long shim_SSL_CTX_set_read_ahead(SSL_CTX *c, int on) { return SSL_CTX_set_read_ahead(c, on); }
static inline long shim_SSL_CTX_set_session_cache_mode(SSL_CTX *c, long m) { return SSL_CTX_set_session_cache_mode(c, m); }
static inline long shim_SSL_CTX_set1_groups_list(SSL_CTX *c, const char *l) { return SSL_CTX_set1_groups_list(c, l); }
static inline long shim_SSL_CTX_add0_chain_cert(SSL_CTX *c, X509 *x) { return SSL_CTX_add0_chain_cert(c, x); }
static inline long shim_SSL_set_tlsext_host_name(SSL *s, const char *n) { return SSL_set_tlsext_host_name(s, n); }
static const uint64_t shim_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t shim_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t shim_SSL_OP_CLEANSE_PLAINTEXT = SSL_OP_CLEANSE_PLAINTEXT;
static const uint64_t shim_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const unsigned long shim_XN_FLAG_RFC2253 = XN_FLAG_RFC2253;
static inline int shim_sk_GENERAL_NAME_num(const GENERAL_NAMES *s) { return sk_GENERAL_NAME_num(s); }
static inline GENERAL_NAME *shim_sk_GENERAL_NAME_value(const GENERAL_NAMES *s, int i) { return sk_GENERAL_NAME_value(s, i); }
