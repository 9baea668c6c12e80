/* SPDX-License-Identifier: MIT
 *
 * Addresses are kept in the one form that holds both families (RFC 4291 2.5.5.2, IPv4-mapped),
 * so that comparing needs no case for each. Text is read by inet_pton, which takes no names,
 * ports or octal numbers.
 * Depends on: address.h, parse.h. */
#include "base/address.h"

#include "base/parse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define IPV4_PREFIX_BITS   96 /* of the mapped form */
#define ADDRESS_BITS       128
#define LIMIT_PREFIX_BYTES 8
#define ITEM_MAX_CHARS     (ADDRESS_TEXT_BYTES + 7) /* "[]:65535" more than an address */
#define PORT_MAX_CHARS     5

static const unsigned char mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static bool is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool address_parse(const char *text, struct address *out_address)
{
    struct address address;
    if (inet_pton(AF_INET6, text, address.bytes) != 1) {
        memcpy(address.bytes, mapped_prefix, sizeof(mapped_prefix));
        if (inet_pton(AF_INET, text, address.bytes + sizeof(mapped_prefix)) != 1)
            return false;
    }
    *out_address = address;
    return true;
}

void address_text(const struct address *address, char out_text[ADDRESS_TEXT_BYTES])
{
    out_text[0] = '\0';
    if (is_ipv4(address))
        (void)inet_ntop(AF_INET, address->bytes + sizeof(mapped_prefix), out_text,
                        ADDRESS_TEXT_BYTES);
    else
        (void)inet_ntop(AF_INET6, address->bytes, out_text, ADDRESS_TEXT_BYTES);
}

struct address address_limit_network(const struct address *address)
{
    struct address network = *address;
    if (!is_ipv4(address))
        memset(network.bytes + LIMIT_PREFIX_BYTES, 0, sizeof(network.bytes) - LIMIT_PREFIX_BYTES);
    return network;
}

void address_limit_key(const struct address *address, char out_text[ADDRESS_TEXT_BYTES])
{
    if (is_ipv4(address)) {
        address_text(address, out_text);
        return;
    }
    struct address network = address_limit_network(address);
    char text[ADDRESS_TEXT_BYTES];
    address_text(&network, text);
    (void)snprintf(out_text, ADDRESS_TEXT_BYTES, "%.40s/64", text);
}

uint64_t address_limit_number(const struct address *address)
{
    const struct address network = address_limit_network(address);
    uint64_t halves[2]; /* of IPv4 the first is 0, of IPv6 the second */
    memcpy(halves, network.bytes, sizeof(halves));
    return halves[0] ? halves[0] : halves[1];
}

static bool shares_prefix(const unsigned char *a, const unsigned char *b, int prefix_bits)
{
    size_t whole_bytes = (size_t)prefix_bits / 8;
    if (memcmp(a, b, whole_bytes) != 0)
        return false;
    int rest_bits = prefix_bits % 8;
    return rest_bits == 0 || (a[whole_bytes] ^ b[whole_bytes]) >> (8 - rest_bits) == 0;
}

static bool has_host_bits(const struct network *network)
{
    for (int bit = network->prefix_bits; bit < ADDRESS_BITS; bit++) {
        if (network->address[bit / 8] & (0x80 >> bit % 8))
            return true;
    }
    return false;
}

/* "ADDRESS" or "ADDRESS/BITS". The text is changed: the slash becomes its end. */
static bool parse_network(char *text, struct network *out_network)
{
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    struct address address;
    if (!address_parse(text, &address))
        return false;
    int first_bits = strchr(text, ':') ? 0 : IPV4_PREFIX_BITS;
    int64_t bits = ADDRESS_BITS - first_bits;
    if (slash && !parse_i64(slash + 1, 0, bits, &bits))
        return false;
    struct network network = {.prefix_bits = first_bits + (int)bits};
    memcpy(network.address, address.bytes, sizeof(network.address));
    if (has_host_bits(&network))
        return false;
    *out_network = network;
    return true;
}

/* Copies a piece of a list without the blanks around it. False when it is too long to be an
 * address. */
static bool copy_item(const char *start, const char *end, char out_item[ITEM_MAX_CHARS + 1])
{
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (start < end && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    size_t size_bytes = (size_t)(end - start);
    if (size_bytes > ITEM_MAX_CHARS)
        return false;
    memcpy(out_item, start, size_bytes);
    out_item[size_bytes] = '\0';
    return true;
}

bool networks_parse(const char *text, struct networks *out_networks)
{
    struct networks networks = {.count = 0};
    const char *start = text && *text ? text : NULL;
    while (start) {
        const char *comma = strchr(start, ',');
        const char *end = comma ? comma : start + strlen(start);
        char item[ITEM_MAX_CHARS + 1];
        if (networks.count == NETWORKS_MAX_COUNT || !copy_item(start, end, item) ||
            !parse_network(item, &networks.items[networks.count]))
            return false;
        networks.count++;
        start = comma ? comma + 1 : NULL;
    }
    *out_networks = networks;
    return true;
}

bool networks_have(const struct networks *networks, const struct address *address)
{
    for (size_t i = 0; i < networks->count; i++) {
        if (shares_prefix(networks->items[i].address, address->bytes,
                          networks->items[i].prefix_bits))
            return true;
    }
    return false;
}

static bool is_port(const char *text)
{
    size_t chars = strspn(text + 1, "0123456789");
    return text[0] == ':' && chars > 0 && chars <= PORT_MAX_CHARS && text[1 + chars] == '\0';
}

/* Some proxies add the client's port: "1.2.3.4:5678", "[2001:db8::7]:5678". */
static bool parse_forwarded(char *item, struct address *out_address)
{
    char *colon = strchr(item, ':');
    char *bracket = strchr(item, ']');
    if (item[0] == '[' && bracket && (bracket[1] == '\0' || is_port(bracket + 1))) {
        *bracket = '\0';
        return colon && colon < bracket && address_parse(item + 1, out_address);
    }
    if (colon && memchr(item, '.', (size_t)(colon - item)) && is_port(colon))
        *colon = '\0';
    return address_parse(item, out_address);
}

/* Each proxy adds the address that it saw at the end. So what is right of the first stranger was
 * written by our own proxies, and what is left of it may be invented. */
struct address address_client(const struct networks *trusted,
                              const struct address *peer,
                              const char *forwarded_for)
{
    struct address client = *peer;
    const char *end = forwarded_for ? forwarded_for + strlen(forwarded_for) : NULL;
    while (end && networks_have(trusted, &client)) {
        const char *start = end;
        while (start > forwarded_for && start[-1] != ',')
            start--;
        char item[ITEM_MAX_CHARS + 1];
        if (!copy_item(start, end, item) || !parse_forwarded(item, &client))
            return client;
        end = start > forwarded_for ? start - 1 : NULL;
    }
    return client;
}
