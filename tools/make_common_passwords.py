#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes the list of passwords that many people use, userauth-svc/rules/common_passwords.txt.

    make_common_passwords.py OUT.txt

Nobody's list is copied: what people are known to choose is put together here from words, names, phrases, runs on a keyboard and
what is hung on them. The rules (password_rules.h) refuse more than is listed: what is put together of entries, runs and a few
digits or signs, in any case, or repeated. So nothing is listed that is one other entry with a tail, or repeated. Most entries are
long: a shorter password is refused for its length already. Run it by hand after a change; a test compares.
Tests: tests/unit/test_compile_passwords.py.
"""

import sys
from pathlib import Path

MIN_CHARS = 5
MAX_CHARS = 64
TAIL_MAX_CHARS = 4  # as in password_rules.c

# First words of what people type when asked for a password, in the languages most often met.
SECRETS = """
password welcome letmein changeme admin administrator secret default testing security manager superuser sysadmin master login
access whatever computer internet company office student service support network system server database passphrase mypassword
newpassword trustno opensesame abracadabra changeit nothing tester signin unlock teacher oldpassword
passwort passwoord wachtwoord motdepasse contrasena senha parola haslo lozinka heslo salasana losenord adgangskode jelszo geslo
secreto geheim segredo segreto willkommen bienvenue bienvenido benvenuto welkom qwerty azerty qwertz asdfgh zxcvbn
""".split()

LOVED = """
iloveyou iloveu loveyou lovely loveme mylove sweetheart darling honey angel baby babygirl princess prince queen princesa
sunshine sunflower flower butterfly rainbow summer winter spring autumn january february march april june july august september
october november december monday tuesday wednesday thursday friday saturday sunday heaven forever freedom family friends
football soccer baseball basketball hockey tennis cricket rugby volleyball swimming skating liverpool chelsea arsenal barcelona
realmadrid juventus bayern manchester everton celtic rangers lakers yankees cowboys steelers packers patriots eagles
dragon monkey tigger tiger lion eagle falcon phoenix dolphin panther wolf bulldog puppy kitten kitty hamster horses turtle penguin
buddy maggie ginger pepper cookie chocolate banana orange apple cherry strawberry peanut coffee pizza cheese burger whisky
superman batman spiderman ironman wonderwoman pokemon pikachu starwars skywalker vader gandalf frodo hogwarts harrypotter
voldemort sherlock startrek spock matrix minecraft fortnite callofduty warcraft counterstrike zelda mario sonic tetris halo
killer shadow hunter ranger soldier warrior knight ninja samurai pirate viking wizard magic mystic thunder lightning storm
diamond silver golden purple yellow crimson midnight moonlight stardust galaxy cosmos jupiter saturn mercury neptune
mustang ferrari porsche mercedes corvette harley yamaha kawasaki toyota honda volkswagen
metallica nirvana slipknot eminem beatles queen rockstar guitar music dancer
london paris berlin madrid lisbon vienna amsterdam brussels stockholm warsaw budapest istanbul moscow tokyo sydney toronto
chicago boston dallas houston phoenix denver miami newyork california texas florida america england germany france espana italia
canada australia ireland scotland brasil mexico argentina colombia
""".split()

NAMES = """
michael jessica jennifer ashley daniel matthew joshua andrew michelle nicole jordan anthony robert thomas charlie george
william david joseph christopher christian alexander alexandra samantha elizabeth stephanie amanda melissa heather amber hannah
taylor madison olivia sophia isabella emily abigail victoria natalie rachel rebecca brandon justin tyler austin ryan kevin brian
jason steven patrick richard edward charles benjamin nicholas jonathan nathan samuel gabriel carlos antonio fernando alejandro
roberto eduardo ricardo francisco mohammed mustafa ibrahim fatima svetlana natasha tatiana ekaterina dmitri sergei vladimir
martin stefan andreas thorsten sabine monika claudia nathalie isabelle philippe francois giuseppe giovanni francesca
""".split()

# On the keyboards of the world, row by row and column by column.
RUNS = """
1234567890 0987654321 01234567890123456789 123456789012345678901234567890 98765432109876543210
qwertyuiop qwertyuiopasdfghjklzxcvbnm poiuytrewq poiuytrewqlkjhgfdsamnbvcxz asdfghjkl lkjhgfdsa zxcvbnm mnbvcxz
asdfghjklqwertyuiop zxcvbnmasdfghjkl qwertzuiopasdfghjklyxcvbnm azertyuiopqsdfghjklmwxcvbn
1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p zaq12wsxcde34rfvbgt56yhnmju7 1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5y6u7i8o9p0
qazwsxedcrfvtgbyhnujmikolp plokimjunhybgtvfrcdexswzaq qweasdzxcrtyfghvbnuiojklm 1a2b3c4d5e6f7g8h9i0j a1b2c3d4e5f6g7h8i9j0
qawsedrftgyhujikolp azsxdcfvgbhnjmkl 147258369 963852741 789456123 321654987 159357456 741852963 112233445566778899
aabbccddeeffgghhiijj 11223344556677889900 102030405060708090 0102030405060708 123123456456789789 123321456654789987
abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlkjihgfedcba abc123def456ghi789 123abc456def789ghi abcdef123456 123456abcdef
qwerty123456789 123456789qwertyuiop qwertyuiop1234567890 1234567890qwertyuiop asdfghjkl123456789 123456789asdfghjkl
0123456789abcdef abcdef0123456789 3141592653589793238462643383279 2718281828459045235360287471352 1618033988749894848204586834365
1123581321345589144 2357111317192329313741 1248163264128256512 1414213562373095048801688724209
""".split()

TAILS = """
12345 123456 1234567 12345678 123456789 1234567890 54321 654321 987654321 0987654321 11111 111111 00000 000000 55555 666666 777777
888888 123123 112233 121212 123321 123abc abc123 qwerty asdfgh 1q2w3e 1q2w3e4r 1qaz2wsx
""".split()

PHRASES = """
i love you so much|i love you forever|i love my family|i love my mom|i love my dad|i love my mother|i love my wife|i love my husband
i love my dog|i love my cat|i love my kids|i love my life|i love my job|i hate my job|i hate passwords|i hate this job|i love pizza
i love chocolate|i love football|i love music|i love jesus|jesus loves me|jesus is lord|jesus christ|god is good|god is love|god is great
in god we trust|god bless america|the lord is my shepherd|amazing grace|hallelujah|this is my password|this is a password
this is the password|this is not a password|my password is password|my password is secret|my secret password|my new password
my very long password|a very long password|a very secure password|this is a secure password|this is a strong password
this is a long password|super secret password|top secret password|the best password|the worst password|best password ever
not my password|no password here|i forgot my password|i forget my password|forgot my password|what is my password
change this password|please change me|please change this|please let me in|let me in please|let me in now|open the door
open sesame|enter password here|your password here|insert password here|type your password|password please|correct horse battery staple
correct horse battery|horse battery staple|battery staple correct horse|hello world|hello kitty|hello my friend|hello there|good morning|good night
good afternoon|have a nice day|how are you today|what is your name|my name is|thank you very much|please and thank you|happy birthday
happy birthday to you|happy new year|merry christmas|merry christmas and a happy new year|happy easter|happy halloween|happy holidays
may the force be with you|use the force luke|luke i am your father|i am your father|do or do not there is no try|live long and prosper
beam me up scotty|resistance is futile|to infinity and beyond|winter is coming|you know nothing jon snow|valar morghulis|one ring to rule them all
my precious|you shall not pass|speak friend and enter|fly you fools|the cake is a lie|it is dangerous to go alone|all your base are belong to us
elementary my dear watson|the truth is out there|trust no one|i want to believe|houston we have a problem|show me the money|hasta la vista baby
i will be back|say hello to my little friend|here is looking at you kid|life is like a box of chocolates|run forrest run|there is no place like home
follow the yellow brick road|just keep swimming|hakuna matata|let it go|a whole new world|be our guest|wingardium leviosa|expecto patronum
avada kedavra|i solemnly swear|mischief managed|gotta catch them all|game over|insert coin|ready player one|press any key|never gonna give you up
never gonna let you down|dont stop believing|dont worry be happy|let it be|all you need is love|here comes the sun|yellow submarine
hey jude|stairway to heaven|highway to hell|smells like teen spirit|bohemian rhapsody|we will rock you|we are the champions|another brick in the wall
welcome to the jungle|sweet child of mine|hotel california|imagine all the people|every breath you take|like a virgin|thriller|billie jean
to be or not to be|to be or not to be that is the question|romeo and juliet|all the worlds a stage|once upon a time|happily ever after
it was the best of times|call me ishmael|big brother is watching you|war and peace|pride and prejudice|the quick brown fox
the quick brown fox jumps over the lazy dog|lorem ipsum|lorem ipsum dolor sit amet|twinkle twinkle little star|mary had a little lamb
humpty dumpty|baa baa black sheep|row row row your boat|old macdonald had a farm|the itsy bitsy spider|one two three four|one two three four five
one two three four five six|four score and seven years ago|we the people|i have a dream|yes we can|make america great again|keep calm and carry on
carpe diem|veni vidi vici|cogito ergo sum|alea iacta est|memento mori|semper fidelis|e pluribus unum|per aspera ad astra|acta non verba
live laugh love|live free or die|never give up|never say never|dream big|follow your dreams|just do it|think different|impossible is nothing
because you are worth it|i am the best|i am number one|i am awesome|i am batman|i am iron man|i am groot|i am legend|who let the dogs out
you are my sunshine|you are beautiful|you are the best|you and me forever|me and my family|best friends forever|friends forever|together forever
love of my life|love is all you need|true love waits|home sweet home|peace and love|peace love and happiness|rock and roll|sex drugs and rock and roll
time is money|money money money|show must go on|the end is near|it is what it is|que sera sera|la vida loca|la vie en rose|je t aime|je taime mon amour
mon amour|bonjour tout le monde|ich liebe dich|guten morgen|hallo welt|das ist mein passwort|mein passwort ist geheim|passwort vergessen
te quiero mucho|te amo mucho|hola mundo|mi amor|mi vida|feliz navidad|ti amo|amore mio|ciao mondo|ciao bella|eu te amo|meu amor|kocham cie|ya tebya lyublyu
manchester united|manchester city|real madrid|fc barcelona|bayern munich|borussia dortmund|liverpool football club|you will never walk alone
new york city|new york yankees|los angeles|los angeles lakers|san francisco|las vegas|dallas cowboys|green bay packers|golden state warriors
united states|united kingdom|great britain|south africa|new zealand|harry potter|luke skywalker|darth vader|obi wan kenobi|han solo|princess leia
lord of the rings|game of thrones|star wars|star trek|spongebob squarepants|mickey mouse|donald duck|bugs bunny|scooby doo|super mario
grand theft auto|call of duty|world of warcraft|league of legends|counter strike|final fantasy|street fighter|mortal kombat|the legend of zelda
black lives matter|climate change|global warming|rainbow unicorn|pink unicorn|little pony|teddy bear|chocolate cake|ice cream|peanut butter
peanut butter and jelly|mac and cheese|apple pie|hot dog|french fries|coffee time|beer oclock|working from home|monday morning|friday night
saturday night fever|summer time|summer vacation|winter wonderland|spring break|password manager|multi factor|single sign on|remote desktop
system administrator|domain administrator|local administrator|database administrator|root password|admin password|guest password|user password
wifi password|router password|server password|database password|email password|bank password|work password|office password|school password
home password|temporary password|initial password|default password|first password|second password|third password|old password|master password
notes password|my notes|my notes password|secret notes|private notes|personal notes|sticky notes|take notes|release notes|notes to self|dear diary
""".replace("\n", "|").split("|")

BEFORE = ["my", "super", "ilove", "mylittle", "hello"]
WRITTEN = {"a": "@", "e": "3", "i": "1", "o": "0", "s": "$"}  # as people write letters with digits
FIRST_COUNT = 40  # of each kind, those that are put together with each other and with all tails


def runs():
    """Each run from its start in all lengths, and from the three places after it in those where people stop."""
    for run in RUNS:
        for start in range(min(4, len(run))):
            for size in range(8, 31) if start == 0 else (8, 10, 12, 15, 16, 20):
                if start + size <= len(run):
                    yield run[start:start + size]
        yield run


def leet(word):
    """All letters that have a digit for them, and each of them alone."""
    yield "".join(WRITTEN.get(letter, letter) for letter in word)
    for letter, digit in WRITTEN.items():
        yield word.replace(letter, digit)


def candidates():
    words = SECRETS + LOVED + NAMES
    yield from words
    yield from runs()
    for word in SECRETS:
        for written in leet(word):
            yield written
            yield written + "123456789"
    first = SECRETS[:FIRST_COUNT] + LOVED[:FIRST_COUNT] + NAMES[:FIRST_COUNT]
    for word in first:
        yield from (word + tail for tail in TAILS)
        yield from (tail + word for tail in ("123456", "123456789", "qwerty"))
    for word in words:
        yield word + "123456789"
        yield word + "1234567890"
    for word in LOVED + NAMES:
        yield from (before + word for before in BEFORE)
    for word in NAMES:
        yield from (word + after for after in ("isthebest", "isawesome", "ismylove", "ismypassword", "forever", "loveme"))
    yield from (one + other for one in first for other in SECRETS[:16] if len(one + other) >= 12)
    for phrase in PHRASES:
        yield from (separator.join(phrase.split()) for separator in ("", " ", "-", "_", "."))


def follows(entry, entries):
    """Do the rules refuse it because of another entry, or because a short piece of it is repeated?"""
    for cut in range(TAIL_MAX_CHARS + 1):
        stem, tail = entry[:len(entry) - cut], entry[len(entry) - cut:]
        if len(stem) < MIN_CHARS or any(letter.isalpha() for letter in tail):
            break
        if cut and stem in entries:
            return True
        for size in range(1, len(stem) // 2 + 1):
            unit = stem[:size]
            if (unit * len(stem))[:len(stem)] == stem and (size <= 4 or unit in entries):
                return True
    return False


def make():
    entries = {entry.strip().lower() for entry in candidates()}
    kept = set()
    for entry in sorted(entries, key=lambda entry: (len(entry), entry)):  # what it may follow from is shorter
        if MIN_CHARS <= len(entry) <= MAX_CHARS and not follows(entry, kept):
            kept.add(entry)
    return "# Made by tools/make_common_passwords.py, which says what of.\n" + "\n".join(sorted(kept)) + "\n"


def main(arguments):
    if len(arguments) != 1:
        print("usage: make_common_passwords.py OUT.txt", file=sys.stderr)
        return 2
    Path(arguments[0]).write_text(make(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
