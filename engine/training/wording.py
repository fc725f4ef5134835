"""How documents word what a schema knows as an option or as true and false.

An option line reads `option = wording / wording`; a boolean line `key | names | labels | true clauses | false clauses`,
where {v:words} are the words that tell.
"""

# ruff: noqa: E501 (tables: one entry a line)

from __future__ import annotations

from dataclasses import dataclass


def parts(text: str, separator: str = " / ") -> list[str]:
    """The entries of a table's cell."""
    return [one.strip() for one in text.split(separator) if one.strip()]


def _options(table: str) -> dict[str, dict[str, list[str]]]:
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        name, _, options = line.partition(":")
        found[name] = {
            option.strip(): parts(wordings)
            for option, _, wordings in (one.partition("=") for one in options.split(";"))
        }
    return found


OPTIONS = _options("""
    ticket_status: open = still open / open; in_progress = in progress / being worked on; waiting = waiting for the customer / waiting; resolved = resolved / fixed; closed = closed
    order_status: pending = pending / awaiting dispatch; shipped = shipped / on its way; delivered = delivered / has arrived; cancelled = cancelled / called off; returned = returned / sent back
    priority: low = low / not urgent; medium = medium / moderate; high = high / elevated; urgent = urgent / top priority; critical = critical
    severity: minor = minor / cosmetic; major = major / serious; critical = critical / severe; blocker = blocking / a blocker
    payment: cash = in cash / cash; credit_card = by credit card / credit card / Visa / Mastercard; debit_card = debit card / by debit card; bank_transfer = bank transfer / by wire / wire transfer; paypal = PayPal / via PayPal; cheque = cheque / by check
    contract: full_time = full-time / full time; part_time = part-time / part time; freelance = freelance / contractor; internship = internship / intern; temporary = temporary / fixed-term; permanent = permanent / open-ended
    cabin: economy = economy / coach; premium_economy = premium economy; business = business / business class; first = first class / first
    department: sales = Sales; support = Customer support / Support; finance = Finance / Accounting; engineering = Engineering / R&D; marketing = Marketing; legal = Legal; hr = HR / Human Resources; operations = Operations
    seniority: junior = junior / entry-level; mid = mid-level / intermediate; senior = senior / experienced; lead = lead / principal
    property: apartment = apartment / flat; house = house / detached house; studio = studio; office = office / office space; garage = garage / parking space; cottage = cottage
    furnishing: furnished = furnished / fully furnished; unfurnished = unfurnished / empty; partly_furnished = partly furnished / part furnished
    condition: new = new / brand new; like_new = like new / as good as new; used = used / second-hand; refurbished = refurbished; damaged = damaged / for parts
    fuel: petrol = petrol / gasoline; diesel = diesel; electric = electric / battery; hybrid = hybrid / plug-in hybrid; lpg = LPG / autogas
    gearbox: manual = manual / stick shift; automatic = automatic / auto
    room_type: single = single / single room; double = double / double room; twin = twin / two beds; suite = suite; family = family room / family
    board: none = room only / no meals; breakfast = breakfast included / with breakfast / B&B; half_board = half board; full_board = full board / all meals; all_inclusive = all inclusive
    log_level: debug = DEBUG; info = INFO; warning = WARN / WARNING; error = ERROR; fatal = FATAL / CRITICAL
    method: GET = GET; POST = POST; PUT = PUT; DELETE = DELETE; PATCH = PATCH
    environment: production = production / prod / live; staging = staging; development = dev / development; test = test / testing
    route: oral = by mouth / orally / oral; intravenous = IV / intravenously; topical = topical / on the skin; inhaled = inhaled / by inhaler
    frequency: daily = daily / once a day / every day; twice_daily = twice daily / twice a day / bid; weekly = weekly / once a week; monthly = monthly / every month; as_needed = as needed / prn; hourly = hourly / every hour; yearly = yearly / annually / per year
    sex: female = female / F / woman; male = male / M / man
    smoking: never = never smoked / non-smoker; former = ex-smoker / former smoker; current = smoker / smokes
    triage: routine = routine; urgent = urgent; emergency = emergency
    channel: email = email / by e-mail; phone = phone / by phone / over the phone; chat = live chat / chat; web = web form / the website; in_person = in person / at the counter
    category: billing = billing / billing issue; technical = technical / technical problem; shipping = shipping / delivery problem; account = account / account access; returns = returns / return request; other = other
    expense: travel = travel; meals = meals / food and drink; lodging = lodging / hotel; supplies = office supplies / supplies; software = software / software licence; training = training
    meeting: standup = stand-up / daily; planning = planning; retrospective = retrospective / retro; review = review; kickoff = kick-off / kickoff; board = board meeting
    task_status: todo = to do / not started; doing = in progress / started; done = done / finished; blocked = blocked / stuck
    delivery: standard = standard / regular post; express = express / next day; pickup = pick-up / collect in store; courier = courier / by courier
    material: steel = stainless steel / steel; wood = solid wood / wooden / oak; plastic = plastic; glass = glass / tempered glass; aluminum = aluminium / aluminum; leather = leather; cotton = cotton
    energy: A = A; B = B; C = C; D = D; E = E
    currency: USD = US dollars / USD / $; EUR = euros / EUR / €; GBP = pounds / GBP / £; CHF = Swiss francs / CHF; PLN = złoty / PLN
    education: bachelor = bachelor's degree / BSc / BA; master = master's degree / MSc / MA; phd = PhD / doctorate; high_school = high school / secondary school; none = no degree
    species: dog = dog; cat = cat; rabbit = rabbit; horse = horse; bird = bird / parrot
    difficulty: easy = easy / simple; medium = medium / moderate; hard = hard / difficult / challenging
    format: online = online / via Zoom / remote; onsite = on site / in person; hybrid = hybrid
    membership: basic = Basic; standard = Standard; premium = Premium / premium plan; enterprise = Enterprise
    length_unit: meters = meters / metres / m; centimeters = centimeters / cm; kilometers = kilometers / km; miles = miles / mi; feet = feet / ft; inches = inches; yards = yards
    pizza_size: small = small; medium = medium / normal size; large = large / big; family = family size
    weather: sunny = sunny / clear skies; cloudy = cloudy / overcast; rainy = rain / rainy; snowy = snow / snowy; stormy = storms / stormy
    sentiment: positive = positive / happy; neutral = neutral / mixed; negative = negative / unhappy
""")


@dataclass(frozen=True)
class Yesno:
    """A boolean: what it is called, and the clauses that say it is true or false."""

    names: list[str]
    labels: list[str]
    clauses: dict[bool, list[str]]


def _booleans(table: str) -> dict[str, Yesno]:
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        key, names, labels, yes, no = (cell.strip() for cell in line.split(" | "))
        found[key] = Yesno(names.split(), parts(labels), {True: parts(yes), False: parts(no)})
    return found


BOOLEANS = _booleans("""
    paid | paid is_paid settled payment_received | Paid / Settled / Payment received | {v:already paid} / {v:paid in full}, thank you / the amount {v:has been received} / the bill {v:is settled} | {v:not paid yet} / {v:unpaid} so far / payment is {v:still outstanding} / the amount {v:remains open}
    urgent | urgent is_urgent rush expedite time_critical | Urgent / Rush / Time critical | this {v:is urgent} / please treat it {v:as urgent} / {v:cannot wait} | it {v:is not urgent} / there is {v:no rush} / it {v:can wait}
    refundable | refundable is_refundable can_be_refunded | Refundable / Refund possible | the fare {v:can be refunded} / {v:fully refundable} / {v:free cancellation} until the day before | {v:non-refundable} / {v:no refunds} / the fare {v:cannot be refunded}
    gift | gift_wrap is_gift gift_wrapped wrapped | Gift wrap / Gift | {v:with gift wrap} / please {v:wrap it as a gift} / it {v:is a present} | {v:without gift wrap} / {v:no gift wrapping} needed
    remote | remote remote_allowed is_remote home_office wfh | Remote / Home office | {v:fully remote} / {v:work from home possible} / you {v:may work remotely} | {v:on site only} / {v:no home office} / you {v:must be in the office}
    visa | visa_sponsorship sponsors_visa sponsorship | Visa sponsorship | {v:visa sponsorship available} / we {v:do sponsor visas} | we {v:cannot sponsor visas} / {v:no visa sponsorship}
    pets | pets_allowed pets_ok allows_pets animals | Pets / Pets allowed | pets {v:are welcome} / {v:pet friendly} / animals {v:allowed} | {v:no pets} please / pets {v:are not allowed} / {v:without pets}
    parking | parking has_parking parking_included parking_space | Parking | {v:with parking} / parking {v:is included} / {v:comes with a parking space} | {v:without parking} / {v:no parking} / parking {v:is not available}
    balcony | balcony has_balcony terrace | Balcony / Terrace | {v:with a balcony} / {v:has a sunny balcony} | {v:no balcony} / {v:without a balcony}
    elevator | elevator lift has_elevator has_lift | Lift / Elevator | {v:with a lift} / the house {v:has an elevator} | {v:no lift} / {v:without an elevator}
    negotiable | negotiable price_negotiable open_to_offers obo | Negotiable / Offers | price {v:negotiable} / {v:open to offers} / {v:or best offer} | {v:fixed price} / {v:no haggling} / price {v:is firm}
    warranty | warranty under_warranty has_warranty in_warranty | Warranty | {v:still under warranty} / {v:comes with a warranty} | {v:no warranty} / {v:out of warranty} / warranty {v:has expired}
    available | available in_stock is_available stock_available | In stock / Available | {v:in stock} / {v:available now} / {v:ready to ship} | {v:out of stock} / {v:sold out} / currently {v:unavailable}
    allergies | has_allergies allergic known_allergies | Allergies | {v:is allergic} to some drugs / {v:allergies are known} | {v:no known allergies} / {v:denies allergies} / {v:NKDA}
    smoker | smoker is_smoker smokes tobacco | Smoker / Tobacco use | {v:smokes} daily / {v:is a smoker} | {v:does not smoke} / {v:non-smoker} / {v:never smoked}
    fasting | fasting is_fasting fasted | Fasting | blood was taken {v:fasting} / the patient {v:had fasted} | {v:not fasting} / blood was taken {v:after a meal}
    followup | follow_up follow_up_required needs_follow_up followup | Follow-up / Follow-up needed | {v:a follow-up is needed} / {v:should come back} for a check | {v:no follow-up needed} / {v:no further visits}
    insured | insured is_insured has_insurance insurance | Insured / Insurance | {v:is insured} / {v:insurance is in place} / {v:with insurance} | {v:uninsured} / {v:has no insurance} / {v:without insurance}
    confirmed | confirmed is_confirmed booking_confirmed | Confirmed | your booking {v:is confirmed} / {v:confirmed} / we {v:can confirm} this | {v:not yet confirmed} / {v:subject to confirmation} / {v:awaiting confirmation}
    breakfast | breakfast breakfast_included with_breakfast | Breakfast | {v:breakfast included} / {v:with breakfast} | {v:breakfast not included} / {v:without breakfast} / {v:room only}
    late | late is_late delayed is_delayed running_late | Delayed / Late | it is {v:delayed} / {v:running late} / {v:behind schedule} | it is {v:on time} / {v:no delay} / {v:as planned}
    retried | retried will_retry retry auto_retry | Retry | {v:will retry} / {v:retrying} | {v:giving up} / {v:no retry} / {v:will not retry}
    cached | cached from_cache cache_hit | Cache | {v:cache hit} / {v:served from cache} | {v:cache miss} / {v:not cached}
    reproducible | reproducible can_reproduce is_reproducible | Reproducible | I {v:can reproduce} it every time / {v:reproducible} / {v:happens every time} | we {v:could not reproduce} it / {v:not reproducible} / {v:happens only now and then}
    approved | approved is_approved accepted decision_made | Approved | the motion {v:was approved} / {v:approved} / {v:got the green light} | {v:rejected} / {v:was not approved} / {v:turned down}
    recorded | recorded is_recorded recording | Recorded / Recording | the call {v:was recorded} / {v:recording available} | {v:not recorded} / {v:no recording}
    newsletter | newsletter subscribe_newsletter subscribed opt_in marketing_consent | Newsletter | {v:please add me} to the newsletter / newsletter: {v:subscribed} | {v:no newsletter} please / newsletter: {v:unsubscribed}
    vegetarian | vegetarian is_vegetarian veggie meat_free | Vegetarian | {v:vegetarian} / {v:contains no meat} | {v:contains meat} / {v:not vegetarian}
    waterproof | waterproof is_waterproof water_resistant | Waterproof | {v:waterproof} / {v:can get wet} / {v:protected against water} | {v:not waterproof} / {v:keep it dry}
    wireless | wireless is_wireless bluetooth has_bluetooth | Wireless / Bluetooth | {v:wireless} / {v:with Bluetooth} | {v:wired} / {v:without Bluetooth} / {v:cable only}
    rechargeable | rechargeable battery_included has_battery | Battery included / Rechargeable | {v:battery included} / {v:with a battery} | {v:batteries not included} / {v:without a battery}
    assembled | assembly_required needs_assembly requires_assembly self_assembly | Assembly required | {v:assembly required} / {v:comes flat-packed} | {v:fully assembled} / {v:no assembly needed}
    active | active is_active enabled | Active / Enabled | the account {v:is active} / {v:active} / {v:currently enabled} | {v:inactive} / {v:deactivated} / {v:no longer active}
    admin | is_admin admin has_admin_rights superuser | Admin | {v:is an administrator} / {v:with admin rights} | {v:no admin rights} / {v:a regular user}
    signed | signed is_signed contract_signed | Signed | the contract {v:has been signed} / {v:signed by both} | {v:not signed yet} / {v:unsigned} / signature {v:still missing}
    accessible | accessible wheelchair_accessible step_free barrier_free | Wheelchair accessible / Step-free | {v:wheelchair accessible} / {v:step-free} | {v:not wheelchair accessible} / {v:only by stairs}
    experienced | experience_required experienced requires_experience | Experience required | {v:experience is a must} / {v:you bring experience} | {v:no experience needed} / {v:beginners welcome}
    first_visit | new_patient first_visit is_new_patient first_time | New patient / First visit | {v:first visit} / {v:new patient} | {v:known patient} / {v:has been here before} / {v:returning}
    vaccinated | vaccinated is_vaccinated fully_vaccinated | Vaccinated | {v:fully vaccinated} / {v:has all vaccinations} | {v:not vaccinated} / {v:vaccinations missing}
    automatic | auto_renew auto_renewal renews_automatically | Auto-renewal | {v:renews automatically} / {v:auto-renewal is on} | {v:does not renew} by itself / {v:auto-renewal is off}
""")
