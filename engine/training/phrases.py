"""Field names, the labels documents use for them, and the phrases that carry a value without its label.

A line of NAMES reads `field: English / English; German; French; Spanish`; a language may be left out.
"""

# ruff: noqa: E501 (tables: one entry a line)

from __future__ import annotations

import re

LANGUAGES = ("en", "de", "fr", "es")


def _words(text: str) -> list[str]:
    return text.split()


def _labels(table: str) -> dict[str, dict[str, list[str]]]:
    found = {}
    for line in filter(None, map(str.strip, table.splitlines())):
        name, _, labels = line.partition(":")
        by_language = [
            [one.strip() for one in part.split(" / ") if one.strip()] for part in labels.split(";")
        ]
        found[name] = {language: part for language, part in zip(LANGUAGES, by_language, strict=False) if part}
    return found


NAMES = {
    kind: _labels(table)
    for kind, table in {
        "person": """
        customer: Customer / Client / Bill to; Kunde; Client; Cliente
        customer_name: Customer name / Name of customer; Kundenname; Nom du client; Nombre del cliente
        name: Name / Full name; Name; Nom; Nombre
        contact: Contact / Contact person; Ansprechpartner; Contact; Contacto
        author: Author / Written by; Autor; Auteur; Autor
        patient: Patient / Patient name; Patient; Patient; Paciente
        employee: Employee / Staff member; Mitarbeiter; Employé; Empleado
        sender: Sender / From / Sent by; Absender; Expéditeur; Remitente
        recipient: Recipient / To / Deliver to; Empfänger; Destinataire; Destinatario
        manager: Manager / Reports to; Vorgesetzter; Responsable; Jefe
        candidate: Candidate / Applicant; Bewerber; Candidat; Candidato
        doctor: Doctor / Physician; Arzt; Médecin; Médico
        assignee: Assignee / Assigned to; Zuständig; Assigné à; Asignado a
        reporter: Reporter / Reported by; Gemeldet von; Signalé par; Informado por
        owner: Owner; Eigentümer; Propriétaire; Propietario
        driver: Driver; Fahrer; Chauffeur; Conductor
        guest: Guest / Guest name; Gast; Invité; Huésped
        buyer:
        teacher:
        speaker:
        approver: Approved by
        tenant:
    """,
        "city": """
        city: City / Town; Stadt / Ort; Ville; Ciudad
        location: Location / Place; Standort; Lieu; Lugar
        destination: Destination / To; Ziel; Destination; Destino
        origin: Origin / From; Startort; Départ; Origen
        venue: Venue; Veranstaltungsort; Salle; Sede
        birthplace: Place of birth / Born in; Geburtsort; Lieu de naissance
        site:
        depot:
        warehouse:
    """,
        "company": """
        vendor: Vendor / Seller / Sold by; Verkäufer; Vendeur; Vendedor
        supplier: Supplier; Lieferant; Fournisseur; Proveedor
        company: Company; Firma; Société; Empresa
        employer: Employer; Arbeitgeber; Employeur; Empleador
        organization: Organization / Organisation; Organisation; Organisme; Organización
        merchant: Merchant / Store / Shop; Händler; Magasin; Tienda
        carrier: Carrier / Shipped with; Spediteur; Transporteur; Transportista
        bank: Bank; Bank; Banque; Banco
        insurer: Insurer; Versicherer; Assureur
        publisher:
        brand:
        landlord:
    """,
        "email": """
        email: Email / E-mail / Mail; E-Mail; Courriel / E-mail; Correo
        email_address: Email address
        contact_email: Contact email / Contact
        reply_to: Reply to / Reply-To; Antwort an; Répondre à
        billing_email: Billing email
    """,
        "job": """
        job_title: Job title / Title / Position; Stellenbezeichnung; Poste; Puesto
        occupation: Occupation; Beruf; Profession; Profesión
        role: Role; Rolle; Rôle; Cargo
        position: Position; Stelle; Poste; Puesto
        profession:
    """,
        "country": """
        country: Country; Land; Pays; País
        nationality: Nationality; Staatsangehörigkeit; Nationalité; Nacionalidad
        country_of_origin: Country of origin / Made in; Herkunftsland; Pays d'origine
        market:
    """,
        "color": """
        color: Color / Colour; Farbe; Couleur; Color
        paint:
        shade:
    """,
        "street": """
        address: Address; Adresse / Anschrift; Adresse; Dirección
        street: Street / Street address; Straße; Rue; Calle
        pickup_address: Pick up at
        billing_address: Billing address
    """,
        "id": """
        invoice_number: Invoice no. / Invoice number / Invoice # / Inv. No.; Rechnungsnummer / Rechnung Nr.; Facture n°; Factura n.º
        order_id: Order / Order no. / Order ID; Bestellnummer; Commande n°; Pedido
        order_number: Order number / PO number; Auftragsnummer; N° de commande; Número de pedido
        ticket_id: Ticket / Ticket ID / Case; Ticketnummer; Ticket n°
        reference: Reference / Ref. / Your ref.; Referenz / Zeichen; Référence; Referencia
        customer_id: Customer no. / Customer ID; Kundennummer; N° client; N.º de cliente
        tracking_number: Tracking number / Tracking; Sendungsnummer; N° de suivi
        flight: Flight / Flight no.; Flug; Vol; Vuelo
        booking_code: Booking code / Booking reference; Buchungscode; Réservation; Reserva
        policy_number: Policy no.; Policennummer; Police n°
        sku: SKU / Item code; Artikelnummer; Réf.
        serial: Serial / Serial number / S/N; Seriennummer
        patient_id: Patient ID / MRN
        room: Room; Raum / Zimmer; Salle; Sala
        gate: Gate
        model: Model; Modell; Modèle; Modelo
        vat_id: VAT ID / VAT no.; USt-IdNr.; N° TVA; NIF
        postal_code: Postal code / ZIP; PLZ; Code postal; Código postal
        error_code: Error code / Error; Fehlercode
        job_id:
        account: Account / Account no.; Kontonummer; Compte; Cuenta
    """,
        "date": """
        date: Date / Dated; Datum; Date; Fecha
        issue_date: Issue date / Date of issue / Invoice date; Rechnungsdatum / Ausgestellt am; Date d'émission; Fecha de emisión
        due_date: Due date / Due / Payment due; Fällig am / Zahlbar bis; Échéance; Vencimiento
        order_date: Order date / Ordered on; Bestelldatum; Date de commande; Fecha de pedido
        delivery_date: Delivery date / Delivered on; Lieferdatum; Livraison; Entrega
        start_date: Start date / Starts / From; Beginn; Début; Inicio
        end_date: End date / Ends / Until; Ende; Fin; Fin
        birth_date: Date of birth / DOB / Born; Geburtsdatum; Date de naissance; Fecha de nacimiento
        deadline: Deadline / Apply by; Frist; Date limite; Plazo
        expires: Expires / Expiry date / Valid until; Gültig bis; Expire le
        created: Created / Opened
        departure_date: Departure date
        visit_date: Visit date / Seen on
    """,
        "time": """
        time: Time; Uhrzeit; Heure; Hora
        start_time: Start time / Starts at; Beginn; Début; Hora de inicio
        end_time: End time / Ends at
        departure_time: Departure / Departs; Abfahrt; Départ; Salida
        arrival_time: Arrival / Arrives; Ankunft; Arrivée; Llegada
        opens_at: Opens
        check_in: Check-in
    """,
        "product": """
        product: Product; Produkt; Produit; Producto
        item: Item / Article; Artikel; Article; Artículo
        title: Title; Titel; Titre; Título
        project: Project; Projekt; Projet; Proyecto
        subject: Subject / Re; Betreff; Objet; Asunto
        topic: Topic; Thema; Sujet; Tema
        device: Device; Gerät; Appareil; Dispositivo
        dish: Dish; Gericht; Plat; Plato
        medication: Medication / Rx; Medikament; Médicament; Medicamento
        event:
        book:
    """,
        "phone": """
        phone: Phone / Tel. / Telephone; Telefon / Tel.; Téléphone / Tél.; Teléfono
        mobile: Mobile / Cell; Mobil; Portable; Móvil
        fax: Fax
        phone_number:
    """,
        "age": """
        age: Age; Alter; Âge; Edad
        age_years:
    """,
        "count": """
        quantity: Quantity / Qty / Qty.; Menge / Anzahl; Quantité / Qté; Cantidad
        count: Count; Anzahl; Nombre; Número
        passengers: Passengers; Passagiere; Passagers; Pasajeros
        pages: Pages; Seiten; Pages; Páginas
        attendees: Attendees; Teilnehmer; Participants; Asistentes
        stock: Stock / In stock; Bestand; Stock; Existencias
        units: Units
        guests: Guests / Party size; Gäste
        duration_minutes: Duration (min) / Minutes; Dauer (Min.)
        heart_rate: Heart rate / HR / Pulse; Puls
        memory_gb: Memory (GB) / RAM GB
        distance_km: Distance (km) / Distance; Entfernung (km)
        nights: Nights; Nächte; Nuits; Noches
        floor: Floor; Etage; Étage; Planta
        year: Year; Jahr; Année; Año
        seats:
        boxes:
        retries:
        status_code: Status code / HTTP
    """,
        "money": """
        total: Total / Total due / Amount due / Grand total; Gesamtbetrag / Summe / Gesamt; Total / Total TTC; Total / Importe total
        subtotal: Subtotal / Net / Net amount; Zwischensumme / Netto; Sous-total / Total HT; Subtotal
        tax: Tax / VAT / Sales tax; MwSt. / USt.; TVA; IVA
        price: Price; Preis; Prix; Precio
        unit_price: Unit price / Price each / Each; Einzelpreis; Prix unitaire; Precio unitario
        amount: Amount; Betrag; Montant; Importe
        cost: Cost; Kosten; Coût; Coste
        shipping: Shipping / Postage; Versand; Livraison; Envío
        tip: Tip / Gratuity; Trinkgeld; Pourboire; Propina
        discount: Discount; Rabatt; Remise; Descuento
        salary: Salary; Gehalt; Salaire; Salario
        balance: Balance; Saldo; Solde; Saldo
        rent: Rent / Monthly rent; Miete; Loyer; Alquiler
        deposit: Deposit; Kaution; Caution; Fianza
        fee:
    """,
        "measure": """
        weight_kg: Weight (kg) / Weight; Gewicht (kg); Poids (kg); Peso (kg)
        temperature: Temperature / Temp.; Temperatur; Température; Temperatura
        rating: Rating / Score; Bewertung; Note; Puntuación
        height_cm: Height (cm) / Height; Größe (cm); Taille (cm); Altura (cm)
        tax_rate: Tax rate / VAT rate; Steuersatz; Taux
        duration_s: Duration / took
        length_m:
    """,
        "bool": """
        paid: paid; bezahlt; payé; pagado
        in_stock: in stock; auf Lager; en stock; en existencia
        urgent: urgent; dringend; urgent; urgente
        confirmed: confirmed; bestätigt; confirmé; confirmado
        remote: remote; remote; télétravail; remoto
        active: active; aktiv; actif; activo
        available: available; verfügbar; disponible; disponible
        verified: verified
        refundable: refundable; erstattungsfähig; remboursable; reembolsable
        member:
        signed: signed; unterschrieben; signé; firmado
        smoker: smoker; Raucher; fumeur; fumador
        delivered: delivered; geliefert; livré; entregado
    """,
        "note": """
        notes: Notes / Note / Remarks; Bemerkung / Hinweis; Remarques; Notas
        comment: Comment; Kommentar; Commentaire; Comentario
        description: Description; Beschreibung; Description; Descripción
        reason: Reason; Grund; Motif; Motivo
        message: Message / msg
        diagnosis: Diagnosis / Dx; Diagnose; Diagnostic; Diagnóstico
    """,
        "weekday": """
        day: Day; Tag; Jour; Día
        weekday: Weekday; Wochentag
    """,
        "timestamp": """
        timestamp: Timestamp / Time
        created_at: Created / Created at
        sent_at: Sent
    """,
    }.items()
}

# name: (options, and how a document may write one of them)
ENUMS = {
    "status": "open closed pending active shipped cancelled draft approved rejected resolved in_progress on_hold",
    "state": "new running done failed blocked waiting",
    "priority": "low medium high critical urgent normal",
    "severity": "minor major critical info warning error",
    "level": "DEBUG INFO WARN ERROR FATAL",
    "currency": "EUR USD GBP CHF PLN JPY",
    "payment_method": "cash card transfer paypal cheque invoice",
    "category": "billing technical sales shipping returns hardware software travel food office",
    "type": "invoice receipt order quote refund credit",
    "department": "sales support finance engineering marketing legal",
    "gender": "female male other",
    "size": "S M L XL XXL",
    "contract": "permanent temporary freelance internship full-time part-time",
    "channel": "email phone chat web letter",
    "class": "economy business first premium",
    "unit": "kg g l ml pcs m cm",
    "sentiment": "positive negative neutral mixed",
}
ENUM_LABELS = _labels("""
    status: Status; Status; Statut; Estado
    priority: Priority / Prio; Priorität; Priorité; Prioridad
    severity: Severity
    level: Level
    currency: Currency; Währung; Devise; Moneda
    payment_method: Payment method / Paid by / Payment; Zahlungsart; Paiement; Forma de pago
    category: Category / Topic; Kategorie; Catégorie; Categoría
    type: Type; Art; Type; Tipo
    department: Department / Dept.; Abteilung; Service; Departamento
    gender: Sex / Gender; Geschlecht; Sexe; Sexo
    contract: Contract / Employment; Vertrag; Contrat; Contrato
    class: Class / Cabin; Klasse; Classe; Clase
""")
WEEKDAYS = {
    "en": _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "de": _words("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag"),
    "fr": _words("lundi mardi mercredi jeudi vendredi samedi dimanche"),
    "es": _words("lunes martes miércoles jueves viernes sábado domingo"),
}
MONTHS = {
    "en": _words("January February March April May June July August September October November December"),
    "de": _words("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    "fr": _words("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "es": _words("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
}

NUMERALS = {
    "en": _words("one two three four five six seven eight nine ten eleven twelve"),
    "de": _words("ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf"),
    "fr": _words("un deux trois quatre cinq six sept huit neuf dix onze douze"),
    "es": _words("un dos tres cuatro cinco seis siete ocho nueve diez once doce"),
}
LANGUAGE_NAMES = _words(
    "German French Spanish Italian Polish Dutch Portuguese Swedish Turkish Greek Japanese Korean Arabic Hindi "
    "Czech Danish Finnish Norwegian Hungarian Romanian English Russian Ukrainian Chinese"
)

# Phrases by kind: only used where the document has one field of that kind.
PHRASES = {
    kind: [line.strip() for line in re.split(r"\s/\s", table)]
    for kind, table in {
        "person": """{v} signed the form / we heard from {v} / it was handled by {v} / {v} will take part /
        the request came from {v} / please ask {v} for details / {v} is the person in charge /
        a note was left by {v} / {v} called this morning / Dear {v} / Dr. {v} saw to it / Mr {v} was present /
        Ms {v} confirmed this / thanks to {v} / prepared for {v} / {v} wrote to us / spoke with {v} today""",
        "city": """it happens in {v} / the team is based in {v} / they live in {v} / the parcel goes to {v} / held in {v} /
        everyone travels to {v} / near the centre of {v} / our office in {v} / arriving in {v} / a branch in {v}""",
        "company": """works for {v} / sold by {v} / on behalf of {v} / {v} is the company behind it / a contract with {v} /
        delivered by {v} / {v} sent the papers / thank you for shopping at {v} / bought from {v} / {v} billed us""",
        "email": """write to {v} / reach us at {v} / send questions to {v} / mail goes to {v} / contact {v} /
        reach her at {v} / replies to {v}""",
        "job": """works as a {v} / is a {v} / was hired as {v} / trained as a {v} / we are looking for a {v} /
        the new {v} starts soon""",
        "country": "comes from {v} / was made in {v} / registered in {v} / is sold in {v} / shipped from {v}",
        "color": "painted {v} / it comes in {v} / the surface is {v} / finished in {v}",
        "street": "lives at {v} / the office is at {v} / deliver it to {v} / find us at {v}",
        "id": """see number {v} / filed under {v} / the code {v} applies / it is labelled {v} / quoted as {v} /
        please quote {v} / no. {v} / regarding {v}""",
        "date": """on {v} / dated {v} / it starts {v} / no later than {v} / since {v} / as of {v} / it took place on {v} /
        until {v}""",
        "time": "at {v} / it begins at {v} / from {v} / doors open {v} / be there by {v}",
        "product": """they bought the {v} / the {v} was chosen / about the {v} / one {v} please / called {v} /
        the {v} arrived / we talked about {v}""",
        "phone": "call {v} / dial {v} / ring us on {v} / text {v} / by phone: {v}",
        "age": "{v} years old / aged {v} / who just turned {v} / a {v}-year-old / {v} y/o",
        "count": "{v} of them / a total count of {v} / {v} pieces / {v} in number / there were {v} / {v} altogether",
        "money": """for {v} / costs {v} / a sum of {v} / paid {v} / worth {v} / for a total of {v} / it came to {v} /
        comes to {v}""",
        "measure": "measured at {v} / reads {v} / a value of {v}",
        "note": "{v} / please note: {v} / they wrote: {v}",
        "weekday": "on {v} / every {v} / moved to {v} / see you {v}",
        "timestamp": "at {v} / logged {v} / [{v}]",
    }.items()
}

# Phrases that fit one field name whatever else the document holds.
NAMED = {
    name: [line.strip() for line in re.split(r"\s/\s", table)]
    for name, table in {
        "vendor": "{v} sold the goods / the seller is {v} / purchased from {v}",
        "supplier": "supplied by {v} / {v} supplies it",
        "customer": "billed to {v} / sold to {v} / our customer {v}",
        "carrier": "shipped with {v} / {v} carries the parcel",
        "employer": "employed by {v} / works at {v}",
        "author": "written by {v} / {v} wrote it",
        "sender": "sent by {v} / {v} sent it",
        "recipient": "sent to {v} / addressed to {v} / {v} received it",
        "patient": "{v} was admitted / {v} presented with a cough / the patient {v} was seen",
        "doctor": "seen by Dr. {v} / examined by {v} / Dr. {v} prescribed it",
        "assignee": "assigned to {v} / {v} is working on it / {v} took the ticket",
        "reporter": "reported by {v} / {v} opened the ticket / {v} reported it",
        "manager": "reports to {v} / managed by {v}",
        "candidate": "{v} applied for the job / {v} is the candidate",
        "tenant": "let to {v} / rented by {v}",
        "landlord": "let by {v} / {v} lets the flat",
        "approver": "approved by {v} / {v} approved it",
        "driver": "driven by {v}",
        "origin": "leaves {v} / departing from {v} / from {v}",
        "destination": "bound for {v} / on its way to {v} / heading to {v}",
        "birthplace": "born in {v}",
        "issue_date": "issued on {v} / was issued {v} / drawn up on {v}",
        "due_date": "due on {v} / payable by {v} / please pay by {v} / payment is due {v}",
        "order_date": "ordered on {v} / the order was placed on {v}",
        "delivery_date": "delivered on {v} / will arrive on {v}",
        "start_date": "starts on {v} / beginning {v}",
        "end_date": "ends on {v} / runs until {v}",
        "birth_date": "born on {v} / born {v}",
        "deadline": "apply by {v} / the deadline is {v}",
        "expires": "valid until {v} / expires on {v}",
        "departure_time": "departs at {v} / leaves at {v}",
        "arrival_time": "arrives at {v} / lands at {v}",
        "start_time": "starts at {v} / begins at {v}",
        "end_time": "ends at {v} / over by {v}",
        "invoice_number": "Invoice {v} was issued / invoice {v} / our invoice {v}",
        "order_number": "order {v} / your order {v}",
        "order_id": "order {v} has left the warehouse / order {v}",
        "ticket_id": "ticket {v} / case {v} was opened",
        "flight": "flight {v} / flying with {v}",
        "gate": "from gate {v} / boarding at gate {v}",
        "room": "in room {v} / meet in room {v}",
        "tracking_number": "track it with {v} / tracking {v}",
        "total": "for a total of {v} / {v} in total / the total comes to {v} / amount due: {v}",
        "subtotal": "{v} before tax / {v} net",
        "tax": "plus {v} tax / including {v} VAT / plus {v} VAT",
        "unit_price": "{v} each / at {v} apiece / {v} per unit",
        "shipping": "plus {v} shipping / shipping was {v}",
        "tip": "a tip of {v} / plus {v} tip",
        "discount": "less {v} discount / a discount of {v}",
        "salary": "earns {v} / a salary of {v} / pays {v} a year",
        "rent": "rent is {v} a month / {v} monthly",
        "deposit": "a deposit of {v}",
        "passengers": "with {v} passengers / carrying {v} passengers",
        "pages": "{v} pages long / it has {v} pages",
        "attendees": "{v} people attended / attended by {v} people",
        "guests": "a table for {v} / {v} guests",
        "nights": "for {v} nights / staying {v} nights",
        "duration_minutes": "it took {v} minutes / for {v} minutes",
        "heart_rate": "pulse {v} bpm / heart rate of {v}",
        "memory_gb": "{v} GB of memory / with {v} GB RAM",
        "distance_km": "{v} km away / a distance of {v} km",
        "floor": "on floor {v}",
        "weight_kg": "weighs {v} kg / a weight of {v} kg",
        "temperature": "{v} °C / temperature of {v} degrees",
        "rating": "rated {v} / {v} stars / {v} out of 5",
        "height_cm": "{v} cm tall",
        "quantity": "{v} units / quantity {v} / {v} pieces",
    }.items()
}

# Phrases that carry the label K, by language.
LABELLED = {
    "en": [
        "{K}: {v}",
        "{K}: {v}",
        "the {K} is {v}",
        "{K} = {v}",
        "its {K} was {v}",
        "{K} - {v}",
        "{v} is the {K}",
        "with {K} {v}",
        "{K} ({v})",
        "has {v} as {K}",
        "we set the {K} to {v}",
        "{K} {v}",
        "{K}\t{v}",
        "{K}={v}",
        "as for the {K}, it is {v}",
        "{v} was given as the {K}",
        "under {K} you will find {v}",
        "{K} is {v}",
        "{K} → {v}",
        "for {K} we have {v}",
        "{K} of {v}",
        "{v} ({K})",
        "{K}:{v}",
        "the {K} stated is {v}",
        "the {K}, {v}, is fixed",
        "{K} now reads {v}",
        "please use {v} as {K}",
        '{K}: "{v}"',
    ],
    "de": ["{K}: {v}", "{K}: {v}", "{K} ist {v}", "{K} = {v}", "{v} ({K})", "{K} lautet {v}", "mit {K} {v}"],
    "fr": ["{K} : {v}", "{K}: {v}", "{K} est {v}", "{K} = {v}", "{v} ({K})", "avec {K} {v}"],
    "es": ["{K}: {v}", "{K}: {v}", "{K} es {v}", "{K} = {v}", "{v} ({K})", "con {K} {v}"],
}
LINES = [
    "{K}: {v}",
    "{K}: {v}",
    "{K}: {v}",
    "{K} {v}",
    "{K}\t{v}",
    "{K} = {v}",
    "{K} - {v}",
    "{K} ..... {v}",
    "{K}   {v}",
    "| {K} | {v} |",
    "{K}\n{v}",
    "* {K}: {v}",
    "- {K}: {v}",
    "**{K}:** {v}",
    "[{K}] {v}",
    "{K};{v}",
]
TRUE = {
    "en": [
        "{K}: {v:yes}",
        "it is {v:*}",
        "{K}: {v:true}",
        "this one is {v:*}",
        "{K} ({v:yes})",
        "{K}: {v:✓}",
        "{v:already *}",
        "[{v:x}] {K}",
        "now {v:*}",
        "{K}={v:true}",
        "{K}: {v:Y}",
    ],
    "de": ["{K}: {v:ja}", "{v:*}", "ist {v:*}", "{K}: {v:Ja}"],
    "fr": ["{K} : {v:oui}", "est {v:*}", "{K}: {v:Oui}"],
    "es": ["{K}: {v:sí}", "está {v:*}", "{K}: {v:Sí}"],
}
FALSE = {
    "en": [
        "{K}: {v:no}",
        "it is {v:not *}",
        "{K}: {v:false}",
        "this one is {v:not *}",
        "{K} ({v:no})",
        "{K}: {v:✗}",
        "{v:not yet *}",
        "[{v: }] {K}",
        "{v:no longer *}",
        "{K}={v:false}",
        "{K}: {v:N}",
        "{v:isn't *}",
    ],
    "de": ["{K}: {v:nein}", "{v:nicht *}", "ist {v:noch nicht *}", "{K}: {v:Nein}"],
    "fr": ["{K} : {v:non}", "n'est {v:pas *}", "{K}: {v:Non}"],
    "es": ["{K}: {v:no}", "{v:no está *}", "{K}: {v:No}"],
}
HEADINGS = {
    "en": [
        "INVOICE",
        "Receipt",
        "Order confirmation",
        "Ticket",
        "Meeting notes",
        "Patient record",
        "Job offer",
        "Delivery note",
        "Log",
        "Summary",
        "Booking",
        "Statement",
        "RECEIPT",
        "Report",
        "Details",
        "Quotation",
    ],
    "de": ["RECHNUNG", "Quittung", "Bestellbestätigung", "Lieferschein", "Protokoll", "Angebot"],
    "fr": ["FACTURE", "Reçu", "Confirmation de commande", "Bon de livraison", "Compte rendu", "Devis"],
    "es": ["FACTURA", "Recibo", "Confirmación de pedido", "Albarán", "Acta", "Presupuesto"],
}
GREETINGS = {
    "en": ["Hi", "Hello", "Dear team", "Dear Sir or Madam", "Good morning", "Hi all"],
    "de": ["Guten Tag", "Hallo", "Sehr geehrte Damen und Herren"],
    "fr": ["Bonjour", "Madame, Monsieur", "Bonjour à tous"],
    "es": ["Hola", "Buenos días", "Estimados señores"],
}
CLOSINGS = {
    "en": ["Best regards", "Thanks", "Kind regards", "Cheers", "Yours sincerely"],
    "de": ["Mit freundlichen Grüßen", "Viele Grüße"],
    "fr": ["Cordialement", "Merci"],
    "es": ["Saludos", "Un cordial saludo"],
}
FILLER = [
    "Thank you for your business.",
    "This message was sent automatically.",
    "Please keep this for your records.",
    "If you have questions, do not hesitate to ask.",
    "Page 1 of 1",
    "All rights reserved.",
    "Have a nice day!",
    "The weather was fine.",
    "Nothing else was reported.",
    "See attachment.",
    "As discussed earlier.",
    "Subject to our general terms.",
    "Follow us online.",
    "Terms and conditions apply.",
    "Sent from my phone",
    "We look forward to hearing from you.",
    "No further action is needed.",
    "It was a long day.",
]
# Names for nested objects, and for arrays of objects and of scalars.
GROUPS = _labels("""
    customer: Customer / Bill to; Kunde; Client; Cliente
    seller: Seller / From; Verkäufer; Vendeur; Vendedor
    buyer: Buyer / Purchaser; Käufer; Acheteur; Comprador
    shipping_address: Ship to / Shipping address; Lieferadresse; Adresse de livraison; Dirección de envío
    billing: Billing; Rechnung an; Facturation; Facturación
    address: Address; Adresse; Adresse; Dirección
    contact: Contact; Kontakt; Contact; Contacto
    patient: Patient; Patient; Patient; Paciente
    departure: Departure; Abfahrt; Départ; Salida
    arrival: Arrival; Ankunft; Arrivée; Llegada
    payment: Payment; Zahlung; Paiement; Pago
    event: Event
    company: Company; Firma; Société; Empresa
    vehicle: Vehicle
""")
LISTS = _labels("""
    lines: Lines / Items / Description of goods; Positionen; Lignes; Líneas
    items: Items / Articles / Order items; Artikel; Articles; Artículos
    line_items: Line items
    products: Products; Produkte; Produits; Productos
    entries: Entries; Einträge; Entrées; Entradas
    passengers: Passengers / Travellers; Passagiere; Passagers; Pasajeros
    tasks: Tasks / To do / Action items; Aufgaben; Tâches; Tareas
    medications: Medications / Prescribed; Medikamente; Médicaments; Medicamentos
    payments: Payments; Zahlungen; Paiements; Pagos
    events: Events; Ereignisse; Événements; Eventos
    members: Members; Mitglieder; Membres; Miembros
    rows: Rows
""")
SCALAR_LISTS = {
    "attendees": "person",
    "participants": "person",
    "authors": "person",
    "speakers": "person",
    "guests": "person",
    "cities": "city",
    "stops": "city",
    "tags": "word",
    "keywords": "word",
    "skills": "goods",
    "products": "goods",
    "ingredients": "dish",
    "menu": "dish",
    "emails": "email",
    "cc": "email",
    "codes": "id",
    "orders": "id",
    "dates": "date",
    "companies": "company",
    "countries": "country",
    "colors": "color",
    "scores": "count",
    "sizes": "count",
    "prices": "money",
    "topics": "word",
    "allergies": "dish",
}
